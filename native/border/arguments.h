#pragma once

#include <napi.h>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

// Checked conversions of what JavaScript passes; each throws a TypeError that names the argument.
namespace lorp::arguments {

inline Napi::TypeError wrong(const Napi::Value& value, const std::string& name, const char* expected) {
    return Napi::TypeError::New(value.Env(), name + " must be " + expected);
}

template <std::integral Integer>
Integer integer(const Napi::Value& value, const std::string& name, Integer low,
                Integer high = std::numeric_limits<Integer>::max()) {
    if (!value.IsNumber()) throw wrong(value, name, "a number");
    const double number = value.As<Napi::Number>().DoubleValue();
    // A double holds every integer up to 2^53; larger bounds are rounded, which only the comparison sees.
    if (std::nearbyint(number) != number || number < static_cast<double>(low) || number > static_cast<double>(high)) {
        throw wrong(value, name, "an integer in its range");
    }
    return static_cast<Integer>(number);
}

inline double number(const Napi::Value& value, const std::string& name, double low) {
    if (!value.IsNumber()) throw wrong(value, name, "a number");
    const double number = value.As<Napi::Number>().DoubleValue();
    if (!std::isfinite(number) || number < low) throw wrong(value, name, "a number in its range");
    return number;
}

inline std::string string(const Napi::Value& value, const std::string& name) {
    if (!value.IsString()) throw wrong(value, name, "a string");
    return value.As<Napi::String>().Utf8Value();
}

/** The name of a file, which C code takes as a string that ends with a zero. */
inline std::string path(const Napi::Value& value, const std::string& name) {
    std::string text = string(value, name);
    if (text.empty() || text.find('\0') != std::string::npos) throw wrong(value, name, "the path of a file");
    return text;
}

inline std::vector<std::string> strings(const Napi::Value& value, const std::string& name) {
    if (!value.IsArray()) throw wrong(value, name, "an array of strings");
    const auto array = value.As<Napi::Array>();
    std::vector<std::string> all;
    for (std::uint32_t i = 0; i < array.Length(); ++i) all.push_back(string(array.Get(i), name));
    return all;
}

inline bool boolean(const Napi::Value& value, const std::string& name) {
    if (!value.IsBoolean()) throw wrong(value, name, "a boolean");
    return value.As<Napi::Boolean>().Value();
}

inline Napi::Object object(const Napi::Value& value, const std::string& name) {
    if (!value.IsObject()) throw wrong(value, name, "an object");
    return value.As<Napi::Object>();
}

inline bool is_typed_array(const Napi::Value& value, napi_typedarray_type type) {
    return value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == type;
}

inline Napi::Int32Array int32_array(const Napi::Value& value, const std::string& name) {
    if (!is_typed_array(value, napi_int32_array)) throw wrong(value, name, "an Int32Array");
    return value.As<Napi::Int32Array>();
}

inline std::vector<double> doubles(const Napi::Value& value, const std::string& name) {
    if (!is_typed_array(value, napi_float64_array)) throw wrong(value, name, "a Float64Array");
    const auto array = value.As<Napi::Float64Array>();
    return {array.Data(), array.Data() + array.ElementLength()};
}

inline std::vector<float> floats(const Napi::Value& value, const std::string& name) {
    if (!is_typed_array(value, napi_float32_array)) throw wrong(value, name, "a Float32Array");
    const auto array = value.As<Napi::Float32Array>();
    return {array.Data(), array.Data() + array.ElementLength()};
}

inline std::vector<std::uint8_t> bytes(const Napi::Value& value, const std::string& name) {
    if (!is_typed_array(value, napi_uint8_array)) throw wrong(value, name, "a Uint8Array");
    const auto array = value.As<Napi::Uint8Array>();
    return {array.Data(), array.Data() + array.ElementLength()};
}

inline std::vector<std::int32_t> int32s(const Napi::Value& value, const std::string& name) {
    const Napi::Int32Array array = int32_array(value, name);
    return {array.Data(), array.Data() + array.ElementLength()};
}

}  // namespace lorp::arguments
