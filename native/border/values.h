#pragma once

#include <napi.h>

#include <algorithm>
#include <exception>
#include <string>
#include <vector>

#include "arguments.h"

// What functions of the border have in common.

namespace lorp {

/** Runs a function of the border; what the native code throws becomes a JavaScript Error. */
template <typename Function>
auto guarded(Napi::Env env, Function function) -> decltype(function()) {
    try {
        return function();
    } catch (const Napi::Error&) {
        throw;
    } catch (const std::exception& error) {
        throw Napi::Error::New(env, error.what());
    }
}

template <typename Array, typename Element>
Napi::Value typed_array(Napi::Env env, const std::vector<Element>& values) {
    Array array = Array::New(env, values.size());
    std::copy(values.begin(), values.end(), array.Data());
    return array;
}

/** The C++ object behind one of our classes' objects; any other object has another behind it, or none. */
template <typename Handle>
Handle& unwrapped(const Napi::Value& value, const std::string& name, const char* expected) {
    const Napi::Object object = arguments::object(value, name);
    if (!object.CheckTypeTag(&Handle::tag)) throw arguments::wrong(value, name, expected);
    return *Handle::Unwrap(object);
}

}  // namespace lorp
