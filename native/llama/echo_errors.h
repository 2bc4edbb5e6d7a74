#pragma once

namespace lorp {

/**
 * From now on what llama.cpp logs as an error is also written to stderr, at once: a reason that it gives just before it
 * ends the process is then told, where whoever else listens would hear of it too late.
 */
void echo_errors();

}  // namespace lorp
