#include "model_handle.h"

#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "async.h"
#include "control_handle.h"
#include "llama_api.h"
#include "values.h"

namespace lorp {

Napi::Function ModelHandle::define(Napi::Env env) {
    return DefineClass(env, "Model",
                       {
                           InstanceMethod("load", &ModelHandle::load),
                           InstanceMethod("info", &ModelHandle::info),
                           InstanceMethod("tokenBytes", &ModelHandle::token_bytes),
                           InstanceMethod("chatPrompt", &ModelHandle::chat_prompt),
                           InstanceMethod("text", &ModelHandle::text),
                           InstanceMethod("tokenize", &ModelHandle::tokenize),
                           InstanceMethod("close", &ModelHandle::close),
                       });
}

ModelHandle::ModelHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ModelHandle>(info) {
    Value().TypeTag(&tag);
}

std::shared_ptr<const Model> ModelHandle::model(Napi::Env env) const {
    if (!model_) throw Napi::Error::New(env, "the model is closed");
    return model_;
}

Napi::Value ModelHandle::load(const Napi::CallbackInfo& info) {
    const std::string path = arguments::path(info[0], "path");
    const Napi::Object given = arguments::object(info[1], "options");
    Model::Options options;
    options.gpu_layers = arguments::integer<std::int32_t>(given.Get("gpuLayers"), "gpuLayers", -1);
    options.repack = arguments::boolean(given.Get("repack"), "repack");
    guarded(info.Env(), [] { llama(); });
    // Held by what runs on the main thread only, so that this object outlives the task.
    const auto self = std::make_shared<Napi::ObjectReference>(Napi::Persistent(Value()));
    using Loaded = std::shared_ptr<const Model>;
    return Task<Loaded>::run(
        info.Env(), control(info[2]),
        [path, options](const Control& control) -> Loaded { return std::make_shared<Model>(path, options, control); },
        [self](Napi::Env env, Loaded&& loaded) -> Napi::Value {
            Unwrap(self->Value())->model_ = std::move(loaded);
            return env.Undefined();
        });
}

Napi::Value ModelHandle::info(const Napi::CallbackInfo& info) {
    const auto held = model(info.Env());
    const LlamaApi& api = llama();
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("layers", held->n_layer());
    result.Set("embeddingLength", held->n_embd());
    result.Set("vocabularySize", held->n_vocab());
    result.Set("trainedContextLength", api.llama_model_n_ctx_train(held->get()));
    result.Set("parameters", static_cast<double>(api.llama_model_n_params(held->get())));
    result.Set("bos", held->bos());
    return result;
}

Napi::Value ModelHandle::token_bytes(const Napi::CallbackInfo& info) {
    return typed_array<Napi::Int32Array>(info.Env(), model(info.Env())->token_bytes());
}

Napi::Value ModelHandle::chat_prompt(const Napi::CallbackInfo& info) {
    const auto held = model(info.Env());
    const std::string question = arguments::string(info[0], "question");
    const auto prompt = guarded(info.Env(), [&] { return held->chat_prompt(question); });
    return prompt ? Napi::String::New(info.Env(), *prompt) : info.Env().Null();
}

Napi::Value ModelHandle::text(const Napi::CallbackInfo& info) {
    const auto held = model(info.Env());
    const auto tokens = arguments::int32s(info[0], "tokens");
    return Napi::String::New(info.Env(), guarded(info.Env(), [&] { return held->text(tokens); }));
}

Napi::Value ModelHandle::tokenize(const Napi::CallbackInfo& info) {
    const auto held = model(info.Env());
    const std::string text = arguments::string(info[0], "text");
    const bool add_special = arguments::boolean(info[1], "addSpecial");
    const bool parse_special = arguments::boolean(info[2], "parseSpecial");
    return Task<std::vector<llama_token>>::run(
        info.Env(), control(info[3]), [=](const Control&) { return held->tokenize(text, add_special, parse_special); },
        [](Napi::Env env, std::vector<llama_token>&& tokens) { return typed_array<Napi::Int32Array>(env, tokens); });
}

}  // namespace lorp
