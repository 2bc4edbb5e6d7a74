#include "quantize_file.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <string_view>

namespace lorp {
namespace {

/**
 * What the log's callback reads and writes. Other threads may be in the middle of a message when nobody listens any
 * more, so it outlives every listener.
 */
struct Heard {
    std::mutex mutex;
    const Control* control = nullptr;
    ggml_log_callback callback = nullptr;
    void* user_data = nullptr;
    /** The tensor that is at work. */
    std::string tensor;
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
        std::array<char, GGML_MAX_NAME> tensor{};
        if (heard.control != nullptr && std::sscanf(text, "[%d/%d] %63s", &done, &total, tensor.data()) == 3 &&
            total > 0) {
            heard.control->report(static_cast<double>(done - 1) / total);
            heard.tensor = tensor.data();
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
            heard.tensor.clear();
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

    /** What `failed to quantize:` was followed by, and about which tensor if it does not say so. */
    std::string failure() const {
        const std::lock_guard lock(heard.mutex);
        const bool is_told = heard.tensor.empty() || heard.failure.find('\'') != std::string::npos;
        return is_told ? heard.failure : heard.failure + " at the tensor '" + heard.tensor + "'";
    }
};

llama_model_kv_override to_override(const MetadataEntry& entry) {
    llama_model_kv_override made{};
    const auto fill = [](auto& field, const std::string& text) {
        std::copy_n(text.begin(), std::min(text.size(), std::size(field) - 1), field);
    };
    fill(made.key, entry.key);
    if (const auto* const text = std::get_if<std::string>(&entry.value)) {
        made.tag = LLAMA_KV_OVERRIDE_TYPE_STR;
        fill(made.val_str, *text);
    } else {
        made.tag = LLAMA_KV_OVERRIDE_TYPE_INT;
        made.val_i64 = std::get<std::int64_t>(entry.value);
    }
    return made;
}

/** llama.cpp's lists end with an entry of their own kind. */
template <typename Item, typename Convert>
auto terminated(const std::vector<Item>& items, Convert convert, decltype(convert(items[0])) end) {
    std::vector<decltype(convert(items[0]))> list;
    std::transform(items.begin(), items.end(), std::back_inserter(list), convert);
    list.push_back(end);
    return list;
}

}  // namespace

void quantize_file(const std::string& input, const std::string& output, const QuantizeFileOptions& options,
                   const Control& control) {
    llama_model_quantize_params params = llama().llama_model_quantize_default_params();
    params.ftype = options.type;
    params.nthread = options.threads;
    params.allow_requantize = options.allow_requantize;
    const auto importance =
        terminated(options.importance,
                   [](const Importance& of) {
                       return llama_model_imatrix_data{of.tensor.c_str(), of.values.data(), of.values.size()};
                   },
                   {nullptr, nullptr, 0});
    const auto tensor_types = terminated(
        options.tensor_types,
        [](const TensorTypeRule& rule) { return llama_model_tensor_override{rule.pattern.c_str(), rule.type}; },
        {nullptr, GGML_TYPE_COUNT});
    const auto metadata = terminated(options.metadata, to_override, {});
    if (!options.importance.empty()) params.imatrix = importance.data();
    if (!options.tensor_types.empty()) params.tt_overrides = tensor_types.data();
    if (!options.metadata.empty()) params.kv_overrides = metadata.data();
    const LogListener log(control);
    if (llama().llama_model_quantize(input.c_str(), output.c_str(), &params) != 0) {
        const std::string failure = log.failure();
        throw std::runtime_error(failure.empty() ? "llama.cpp could not quantise the model" : failure);
    }
}

}  // namespace lorp
