#pragma once

namespace lorp {

/**
 * Lets each GPU of the attached llama.cpp multiply small matrices, and looks at what comes out: a library without code
 * for a GPU that it finds (CUDA's, where the driver is older than its compiler) fails no sooner than when it computes.
 * llama.cpp then ends the process.
 *
 * @throws std::runtime_error naming a GPU that does not start or computes something else
 */
void check_gpus();

}  // namespace lorp
