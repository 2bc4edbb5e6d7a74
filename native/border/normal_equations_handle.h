#pragma once

#include <napi.h>

#include <memory>

#include "normal_equations.h"

namespace lorp {

/** Sums of a least-squares problem, held between the tasks that add to them and those that solve it. */
class NormalEquationsHandle final : public Napi::ObjectWrap<NormalEquationsHandle> {
public:
    static Napi::Function define(Napi::Env env);

    static constexpr napi_type_tag tag{0x3b7e90d25c1f4a68, 0x91d4c60b8e2a7f53};

    explicit NormalEquationsHandle(const Napi::CallbackInfo& info);

    /** The sums for one task. */
    std::shared_ptr<NormalEquations> take(Napi::Env env);

private:
    Napi::Value solve(const Napi::CallbackInfo& info);
    Napi::Value mean_squares(const Napi::CallbackInfo& info);
    void close(const Napi::CallbackInfo&) { sums_.reset(); }

    std::shared_ptr<NormalEquations> sums_;
};

}  // namespace lorp
