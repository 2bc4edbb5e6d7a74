#pragma once

#include <span>
#include <string>

namespace lorp {

/**
 * Makes the devices of llama.cpp's RPC servers devices of this process, which models then spread over.
 *
 * @param library path of the RPC backend, built against the ggml that is loaded
 * @param endpoints `host:port`
 * @throws std::runtime_error naming what cannot be loaded or reached
 */
void add_rpc_servers(const std::string& library, std::span<const std::string> endpoints);

}  // namespace lorp
