#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "model.h"
#include "session.h"

namespace lorp {

/** A context of a model, for one task at a time. */
class SessionHandle final : public Napi::ObjectWrap<SessionHandle> {
public:
    static Napi::Function define(Napi::Env env);

    static constexpr napi_type_tag tag{0xe27a91c40f6b4d3c, 0xa85d47139ce2068f};

    explicit SessionHandle(const Napi::CallbackInfo& info);

private:
    Napi::Value open(const Napi::CallbackInfo& info);

    /** The session for one task; two at a time would share one context. */
    std::shared_ptr<Session> take(Napi::Env env);

    /** A second session for the same task. */
    static std::shared_ptr<Session> take_other(const Napi::Value& value, const std::string& name,
                                               const std::shared_ptr<Session>& session);

    Napi::Value sum_cosines(const Napi::CallbackInfo& info);
    Napi::Value score(const Napi::CallbackInfo& info);
    Napi::Value logits(const Napi::CallbackInfo& info);
    Napi::Value embeddings(const Napi::CallbackInfo& info);
    Napi::Value generate(const Napi::CallbackInfo& info);
    Napi::Value state_norms(const Napi::CallbackInfo& info);
    Napi::Value gather(const Napi::CallbackInfo& info);
    Napi::Value time(const Napi::CallbackInfo& info);
    void close(const Napi::CallbackInfo&);

    std::shared_ptr<const Model> model_;
    Session::Options options_;
    std::shared_ptr<Session> session_;
};

}  // namespace lorp
