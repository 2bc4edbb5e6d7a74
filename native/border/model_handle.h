#pragma once

#include <napi.h>

#include <memory>

#include "model.h"

namespace lorp {

/** A model that llama.cpp holds open; what runs of it keeps it open after `close`. */
class ModelHandle final : public Napi::ObjectWrap<ModelHandle> {
public:
    static Napi::Function define(Napi::Env env);

    static constexpr napi_type_tag tag{0x5d1f0c8b7a4e4e21, 0x9c36d2e87b15f0a4};

    explicit ModelHandle(const Napi::CallbackInfo& info);

    std::shared_ptr<const Model> model(Napi::Env env) const;

private:
    Napi::Value load(const Napi::CallbackInfo& info);
    Napi::Value info(const Napi::CallbackInfo& info);
    Napi::Value token_bytes(const Napi::CallbackInfo& info);
    Napi::Value chat_prompt(const Napi::CallbackInfo& info);
    Napi::Value text(const Napi::CallbackInfo& info);
    Napi::Value tokenize(const Napi::CallbackInfo& info);
    void close(const Napi::CallbackInfo&) { model_.reset(); }

    std::shared_ptr<const Model> model_;
};

}  // namespace lorp
