#include "quantize_file.h"

#include <chrono>
#include <cstdio>
#include <mutex>
#include <stdexcept>
#include <string_view>

namespace lorp {
namespace {

/** llama.cpp's log is the process's, so that only one quantisation at a time can listen to it. */
std::timed_mutex quantising;

/** Waits for the quantisations before this one. @throws Stopped */
std::unique_lock<std::timed_mutex> wait_for_turn(const Control& control) {
    std::unique_lock turn(quantising, std::defer_lock);
    do {
        if (control.stop_requested()) throw Stopped{};
    } while (!turn.try_lock_for(std::chrono::milliseconds(100)));
    return turn;
}

/**
 * What the log's callback reads and writes. Other threads may be in the middle of a message when nobody listens any
 * more, so it outlives every listener.
 */
struct Heard {
    std::mutex mutex;
    const Control* control = nullptr;
    ggml_log_callback callback = nullptr;
    void* user_data = nullptr;
    std::string failure;
};
Heard heard;

void hear(ggml_log_level level, const char* text, void*) {
    ggml_log_callback callback = nullptr;
    void* user_data = nullptr;
    {
        const std::lock_guard lock(heard.mutex);
        callback = heard.callback;
        user_data = heard.user_data;
        // One line a tensor: "[   3/ 120] blk.0.attn_q.weight - …"
        int done = 0;
        int total = 0;
        if (heard.control != nullptr && std::sscanf(text, "[%d/%d]", &done, &total) == 2 && total > 0) {
            heard.control->report(static_cast<double>(done - 1) / total);
        }
        constexpr std::string_view marker = "failed to quantize: ";
        const std::string_view line = text;
        if (const std::size_t start = line.find(marker); start != std::string_view::npos) {
            const std::string_view reason = line.substr(start + marker.size());
            heard.failure = reason.substr(0, reason.find_last_not_of("\r\n ") + 1);
        }
    }
    if (callback != nullptr) callback(level, text, user_data);
}

/** Listens to llama.cpp's log as long as it lives, and passes everything on to whoever listened before. */
class LogListener {
public:
    explicit LogListener(const Control& control) {
        {
            const std::lock_guard lock(heard.mutex);
            llama().llama_log_get(&heard.callback, &heard.user_data);
            heard.control = &control;
            heard.failure.clear();
        }
        llama().llama_log_set(hear, nullptr);
    }
    ~LogListener() {
        llama().llama_log_set(heard.callback, heard.user_data);
        const std::lock_guard lock(heard.mutex);
        heard.control = nullptr;
    }
    LogListener(const LogListener&) = delete;
    LogListener& operator=(const LogListener&) = delete;

    /** What `failed to quantize:` was followed by. */
    std::string failure() const {
        const std::lock_guard lock(heard.mutex);
        return heard.failure;
    }
};

}  // namespace

void quantize_file(const std::string& input, const std::string& output, const QuantizeFileOptions& options,
                   const Control& control) {
    llama_model_quantize_params params = llama().llama_model_quantize_default_params();
    params.ftype = options.type;
    params.nthread = options.threads;
    params.allow_requantize = options.allow_requantize;
    const auto turn = wait_for_turn(control);
    const LogListener log(control);
    if (llama().llama_model_quantize(input.c_str(), output.c_str(), &params) != 0) {
        const std::string failure = log.failure();
        throw std::runtime_error(failure.empty() ? "llama.cpp could not quantise the model" : failure);
    }
}

}  // namespace lorp
