#pragma once

#include <napi.h>

#include <memory>

#include "control.h"
#include "values.h"

namespace lorp {

/** How JavaScript stops a task and sees how far it is. */
class ControlHandle final : public Napi::ObjectWrap<ControlHandle> {
public:
    static Napi::Function define(Napi::Env env) {
        return DefineClass(env, "Control",
                           {
                               InstanceMethod("stop", &ControlHandle::stop),
                               InstanceMethod("progress", &ControlHandle::progress),
                           });
    }

    static constexpr napi_type_tag tag{0x1b64c7f0a9d23e58, 0x70e9352cd4a81bf6};

    explicit ControlHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ControlHandle>(info) {
        Value().TypeTag(&tag);
    }

    /** Tasks hold it too, so that it outlives this object. */
    std::shared_ptr<const Control> control() const { return control_; }

private:
    void stop(const Napi::CallbackInfo&) { control_->stop(); }
    Napi::Value progress(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), control_->progress()); }

    const std::shared_ptr<Control> control_ = std::make_shared<Control>();
};

inline std::shared_ptr<const Control> control(const Napi::Value& value) {
    return unwrapped<ControlHandle>(value, "control", "a Control").control();
}

}  // namespace lorp
