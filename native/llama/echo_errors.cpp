#include "echo_errors.h"

#include <cstdio>

#include "llama_api.h"

namespace lorp {
namespace {

ggml_log_callback next = nullptr;
void* next_data = nullptr;

void echo(ggml_log_level level, const char* text, void*) {
    if (level == GGML_LOG_LEVEL_ERROR) std::fputs(text, stderr);
    if (next != nullptr) next(level, text, next_data);
}

}  // namespace

void echo_errors() {
    ggml_log_callback heard = nullptr;
    void* data = nullptr;
    llama().llama_log_get(&heard, &data);
    if (heard == echo) return;
    next = heard;
    next_data = data;
    llama().llama_log_set(echo, nullptr);
}

}  // namespace lorp
