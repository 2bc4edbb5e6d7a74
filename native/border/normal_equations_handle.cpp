#include "normal_equations_handle.h"

#include <cstdint>
#include <limits>
#include <vector>

#include "arguments.h"
#include "async.h"
#include "control_handle.h"
#include "llama_api.h"
#include "values.h"

namespace lorp {

Napi::Function NormalEquationsHandle::define(Napi::Env env) {
    return DefineClass(env, "NormalEquations",
                       {
                           InstanceMethod("solve", &NormalEquationsHandle::solve),
                           InstanceMethod("meanSquares", &NormalEquationsHandle::mean_squares),
                           InstanceMethod("close", &NormalEquationsHandle::close),
                       });
}

NormalEquationsHandle::NormalEquationsHandle(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<NormalEquationsHandle>(info) {
    const auto features = arguments::integer<std::uint32_t>(info[0], "features", 1U, 1U << 20);
    const auto targets = arguments::integer<std::uint32_t>(info[1], "targets", 1U, 1U << 20);
    sums_ = guarded(info.Env(), [&] { return std::make_shared<NormalEquations>(features, targets); });
    Value().TypeTag(&tag);
}

std::shared_ptr<NormalEquations> NormalEquationsHandle::take(Napi::Env env) {
    if (!sums_) throw Napi::Error::New(env, "the sums are closed");
    if (sums_.use_count() > 1) throw Napi::Error::New(env, "the sums are still busy with an earlier call");
    return sums_;
}

Napi::Value NormalEquationsHandle::solve(const Napi::CallbackInfo& info) {
    const auto sums = take(info.Env());
    const auto ridge = arguments::number(info[0], "ridge", std::numeric_limits<double>::min());
    const auto threads = arguments::integer<std::uint32_t>(info[1], "threads", 1U, GGML_MAX_N_THREADS);
    return Task<std::vector<float>>::run(
        info.Env(), control(info[2]), [=](const Control& control) { return sums->solve(ridge, threads, control); },
        [](Napi::Env env, std::vector<float>&& map) { return typed_array<Napi::Float32Array>(env, map); });
}

Napi::Value NormalEquationsHandle::mean_squares(const Napi::CallbackInfo& info) {
    return typed_array<Napi::Float32Array>(info.Env(), take(info.Env())->mean_squares());
}

}  // namespace lorp
