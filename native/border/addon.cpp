// The border between JavaScript and the native code: checks arguments, starts tasks, converts results.
// src/native/addon.ts declares the same surface in TypeScript.

#include <napi.h>

#include <cstdint>
#include <string>

#include "arguments.h"
#include "async.h"
#include "check_gpus.h"
#include "control_handle.h"
#include "echo_errors.h"
#include "file_copy.h"
#include "llama_api.h"
#include "model_handle.h"
#include "normal_equations_handle.h"
#include "quantization.h"
#include "rpc_servers.h"
#include "session_handle.h"
#include "spectral.h"
#include "values.h"

namespace lorp {
namespace {

void attach_to_llama(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [] {
        attach(LORP_LLAMA_RELEASE);
        echo_errors();
    });
}

Napi::Value check_all_gpus(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [] { llama(); });
    return Task<bool>::run(
        info.Env(), control(info[0]),
        [](const Control&) {
            check_gpus();
            return true;
        },
        [](Napi::Env env, bool&&) { return env.Undefined(); });
}

Napi::Value connect_rpc_servers(const Napi::CallbackInfo& info) {
    const std::string library = arguments::string(info[0], "library");
    const auto endpoints = arguments::strings(info[1], "endpoints");
    guarded(info.Env(), [] { llama(); });
    return Task<bool>::run(
        info.Env(), control(info[2]),
        [=](const Control&) {
            add_rpc_servers(library, endpoints);
            return true;
        },
        [](Napi::Env env, bool&&) { return env.Undefined(); });
}

Napi::Value cluster(const Napi::CallbackInfo& info) {
    const auto similarity = arguments::doubles(info[0], "similarity");
    const auto n = arguments::integer<std::uint32_t>(info[1], "n", 1U, 65535U);
    const auto k = arguments::integer<std::uint32_t>(info[2], "k", 1U, n);
    const auto seed = arguments::integer<std::uint64_t>(info[3], "seed", 0U, (1ULL << 53) - 1);
    if (similarity.size() != static_cast<std::size_t>(n) * n) {
        throw arguments::wrong(info[0], "similarity", "a Float64Array of n × n numbers");
    }
    const auto labels = guarded(info.Env(), [&] { return spectral_clusters(similarity, n, k, seed); });
    return typed_array<Napi::Int32Array>(info.Env(), labels);
}

Napi::Value copy_file_range_in_kernel(const Napi::CallbackInfo& info) {
    constexpr std::uint64_t last_offset = (1ULL << 53) - 1;
    const FileRange range{
        arguments::integer<int>(info[0], "source", 0),
        arguments::integer<std::uint64_t>(info[1], "from", 0U, last_offset),
        arguments::integer<int>(info[2], "target", 0),
        arguments::integer<std::uint64_t>(info[3], "to", 0U, last_offset),
        arguments::integer<std::uint64_t>(info[4], "length", 0U, last_offset),
    };
    return Task<std::uint64_t>::run(
        info.Env(), control(info[5]), [=](const Control& control) { return copy_in_kernel(range, control); },
        [](Napi::Env env, std::uint64_t&& moved) { return Napi::Number::New(env, static_cast<double>(moved)); });
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
    exports.Set("release", LORP_LLAMA_RELEASE);
    exports.Set("attach", Napi::Function::New(env, attach_to_llama, "attach"));
    exports.Set("checkGpus", Napi::Function::New(env, check_all_gpus, "checkGpus"));
    exports.Set("addRpcServers", Napi::Function::New(env, connect_rpc_servers, "addRpcServers"));
    exports.Set("spectralClusters", Napi::Function::New(env, cluster, "spectralClusters"));
    exports.Set("copyFileRange", Napi::Function::New(env, copy_file_range_in_kernel, "copyFileRange"));
    exports.Set("quantize", Napi::Function::New(env, quantize_values, "quantize"));
    exports.Set("dequantize", Napi::Function::New(env, dequantize_bytes, "dequantize"));
    exports.Set("quantizeFile", Napi::Function::New(env, quantize_model_file, "quantizeFile"));
    exports.Set("Control", ControlHandle::define(env));
    exports.Set("Model", ModelHandle::define(env));
    exports.Set("Session", SessionHandle::define(env));
    exports.Set("NormalEquations", NormalEquationsHandle::define(env));
    return exports;
}

NODE_API_MODULE(lorp, initialize)

}  // namespace
}  // namespace lorp
