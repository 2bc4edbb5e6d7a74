#include "quantization.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "async.h"
#include "control_handle.h"
#include "conversion.h"
#include "quantize_file.h"
#include "values.h"

namespace lorp {

namespace {

/** A list of objects, each read by `read`. */
template <typename Read>
auto read_list(const Napi::Value& value, const std::string& name, Read read) {
    if (!value.IsArray()) throw arguments::wrong(value, name, "an array");
    const auto array = value.As<Napi::Array>();
    std::vector<decltype(read(std::declval<Napi::Object>()))> all;
    for (std::uint32_t i = 0; i < array.Length(); ++i) all.push_back(read(arguments::object(array.Get(i), name)));
    return all;
}

/** A text that fits one of llama.cpp's fields of 128 bytes with the zero at its end. */
std::string short_string(const Napi::Value& value, const std::string& name) {
    std::string text = arguments::string(value, name);
    if (text.size() > 127 || text.find('\0') != std::string::npos) {
        throw arguments::wrong(value, name, "a string of at most 127 bytes");
    }
    return text;
}

ggml_type tensor_type(const Napi::Value& value) {
    return static_cast<ggml_type>(arguments::integer<int>(value, "type", 0, GGML_TYPE_COUNT - 1));
}

Importance importance_of(const Napi::Object& given) {
    return {arguments::string(given.Get("tensor"), "tensor"), arguments::floats(given.Get("values"), "values")};
}

TensorTypeRule tensor_type_rule(const Napi::Object& given) {
    const ggml_type type = tensor_type(given.Get("type"));
    if (!guarded(given.Env(), [&] { return is_quantizable(type); })) {
        throw arguments::wrong(given.Get("type"), "type", "a type that llama.cpp quantises to");
    }
    return {arguments::string(given.Get("pattern"), "pattern"), type};
}

MetadataEntry metadata_entry(const Napi::Object& given) {
    const Napi::Value value = given.Get("value");
    std::string key = short_string(given.Get("key"), "key");
    if (value.IsString()) return {std::move(key), short_string(value, "value")};
    return {std::move(key), arguments::integer<std::int64_t>(value, "value", 0, UINT32_MAX)};
}

}  // namespace

Napi::Value quantize_model_file(const Napi::CallbackInfo& info) {
    const std::string input = arguments::path(info[0], "input");
    const std::string output = arguments::path(info[1], "output");
    const Napi::Object given = arguments::object(info[2], "options");
    QuantizeFileOptions options;
    options.type = static_cast<llama_ftype>(
        arguments::integer<std::int32_t>(given.Get("type"), "type", 0, LLAMA_FTYPE_GUESSED - 1));
    options.threads = arguments::integer<std::int32_t>(given.Get("threads"), "threads", 1);
    options.allow_requantize = arguments::boolean(given.Get("allowRequantize"), "allowRequantize");
    options.importance = read_list(given.Get("importance"), "importance", importance_of);
    options.tensor_types = read_list(given.Get("tensorTypes"), "tensorTypes", tensor_type_rule);
    options.metadata = read_list(given.Get("metadata"), "metadata", metadata_entry);
    return Task<bool>::run(
        info.Env(), control(info[3]),
        [input, output, options = std::move(options)](const Control& control) {
            quantize_file(input, output, options, control);
            return true;
        },
        [](Napi::Env env, bool&&) { return env.Undefined(); });
}

Napi::Value quantize_values(const Napi::CallbackInfo& info) {
    const auto type = tensor_type(info[0]);
    const auto values = arguments::floats(info[1], "values");
    const auto row_length = arguments::integer<std::uint32_t>(info[2], "rowLength", 1U);
    const auto importance = info[3].IsUndefined() ? std::vector<float>{} : arguments::floats(info[3], "importance");
    return typed_array<Napi::Uint8Array>(
        info.Env(), guarded(info.Env(), [&] { return quantize(type, values, row_length, importance); }));
}

Napi::Value dequantize_bytes(const Napi::CallbackInfo& info) {
    const auto type = tensor_type(info[0]);
    const auto bytes = arguments::bytes(info[1], "bytes");
    return typed_array<Napi::Float32Array>(info.Env(), guarded(info.Env(), [&] { return dequantize(type, bytes); }));
}

}  // namespace lorp
