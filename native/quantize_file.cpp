#include "quantize_file.h"

#include <cstdio>
#include <stdexcept>
#include <string_view>

namespace lorp {
namespace {

/** Listens to llama.cpp's log as long as it lives, and passes everything on to whoever listened before. */
class LogListener {
public:
    explicit LogListener(const Control& control) : control_(control) {
        llama().llama_log_get(&callback_, &user_data_);
        llama().llama_log_set(hear, this);
    }
    ~LogListener() { llama().llama_log_set(callback_, user_data_); }
    LogListener(const LogListener&) = delete;
    LogListener& operator=(const LogListener&) = delete;

    /** What `failed to quantize:` was followed by. */
    const std::string& failure() const { return failure_; }

private:
    static void hear(ggml_log_level level, const char* text, void* user_data) {
        auto& self = *static_cast<LogListener*>(user_data);
        // One line a tensor: "[   3/ 120] blk.0.attn_q.weight - …"
        int done = 0;
        int total = 0;
        if (std::sscanf(text, "[%d/%d]", &done, &total) == 2 && total > 0) {
            self.control_.report(static_cast<double>(done - 1) / total);
        }
        constexpr std::string_view marker = "failed to quantize: ";
        const std::string_view line = text;
        if (const std::size_t start = line.find(marker); start != std::string_view::npos) {
            const std::string_view reason = line.substr(start + marker.size());
            self.failure_ = reason.substr(0, reason.find_last_not_of("\r\n ") + 1);
        }
        if (self.callback_ != nullptr) self.callback_(level, text, self.user_data_);
    }

    const Control& control_;
    ggml_log_callback callback_ = nullptr;
    void* user_data_ = nullptr;
    std::string failure_;
};

}  // namespace

void quantize_file(const std::string& input, const std::string& output, const QuantizeFileOptions& options,
                   const Control& control) {
    llama_model_quantize_params params = llama().llama_model_quantize_default_params();
    params.ftype = options.type;
    params.nthread = options.threads;
    params.allow_requantize = options.allow_requantize;
    const LogListener log(control);
    if (llama().llama_model_quantize(input.c_str(), output.c_str(), &params) != 0) {
        throw std::runtime_error(log.failure().empty() ? "llama.cpp could not quantise the model" : log.failure());
    }
}

}  // namespace lorp
