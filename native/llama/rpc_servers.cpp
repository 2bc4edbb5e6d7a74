#include "rpc_servers.h"

#include <ggml-rpc.h>

#include <stdexcept>

#include "llama_api.h"

namespace lorp {

void add_rpc_servers(const std::string& library, std::span<const std::string> endpoints) {
    ggml_backend_reg_t const backend = llama().ggml_backend_load(library.c_str());
    if (backend == nullptr) throw std::runtime_error("the RPC backend " + library + " cannot be loaded");
    const auto add_server = reinterpret_cast<decltype(&::ggml_backend_rpc_add_server)>(
        llama().ggml_backend_reg_get_proc_address(backend, "ggml_backend_rpc_add_server"));
    if (add_server == nullptr) throw std::runtime_error(library + " is not an RPC backend");
    for (const std::string& endpoint : endpoints) {
        ggml_backend_reg_t const server = add_server(endpoint.c_str());
        if (server == nullptr) throw std::runtime_error("no RPC server answers at " + endpoint);
        llama().ggml_backend_register(server);
    }
}

}  // namespace lorp
