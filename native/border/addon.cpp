// The border between JavaScript and the native code: checks arguments, starts tasks, converts results.
// src/native/addon.ts declares the same surface in TypeScript.

#include <napi.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "async.h"
#include "conversion.h"
#include "file_copy.h"
#include "llama_api.h"
#include "model.h"
#include "normal_equations.h"
#include "quantize_file.h"
#include "rpc_servers.h"
#include "session.h"
#include "spectral.h"

namespace lorp {
namespace {

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

/** n_blocks flags from a list of block numbers. */
std::vector<bool> block_flags(const Napi::Value& value, const std::string& name, std::int32_t n_blocks) {
    std::vector<bool> flags(static_cast<std::size_t>(n_blocks));
    for (const std::int32_t block : arguments::int32s(value, name)) {
        if (block < 0 || block >= n_blocks) throw arguments::wrong(value, name, "numbers of blocks of this model");
        flags[static_cast<std::size_t>(block)] = true;
    }
    return flags;
}

/** `repairs` of an object, or undefined: each with its block, weight, epsilon, and map of n_embd rows. */
std::vector<Repair> repairs_of(const Napi::Value& value, const BlockLayout& layout) {
    std::vector<Repair> repairs;
    if (value.IsUndefined()) return repairs;
    if (!value.IsArray()) throw arguments::wrong(value, "repairs", "an array");
    const auto array = value.As<Napi::Array>();
    for (std::uint32_t i = 0; i < array.Length(); ++i) {
        const Napi::Object given = arguments::object(array.Get(i), "repairs");
        repairs.push_back({{arguments::integer<std::int32_t>(given.Get("block"), "block", 0, layout.n_blocks - 1),
                            arguments::string(given.Get("weight"), "weight")},
                           arguments::number(given.Get("epsilon"), "epsilon", 0.0),
                           arguments::floats(given.Get("map"), "map")});
        const std::vector<float>& map = repairs.back().map;
        if (map.empty() || map.size() % static_cast<std::size_t>(layout.n_embd) != 0) {
            throw arguments::wrong(given.Get("map"), "map", "a Float32Array of as many rows as the embedding is long");
        }
    }
    return repairs;
}

/** `skip`, `factors` and `repairs` of an object; factors are two numbers a block or undefined. */
BlockChanges block_changes(const Napi::Object& given, const BlockLayout& layout) {
    BlockChanges changes{
        block_flags(given.Get("skip"), "skip", layout.n_blocks), {}, repairs_of(given.Get("repairs"), layout)};
    const Napi::Value value = given.Get("factors");
    if (value.IsUndefined()) return changes;
    const std::vector<double> factors = arguments::doubles(value, "factors");
    if (factors.size() != 2 * changes.skipped.size() ||
        !std::all_of(factors.begin(), factors.end(), [](double factor) { return std::isfinite(factor); })) {
        throw arguments::wrong(value, "factors", "two finite numbers a block");
    }
    for (std::size_t i = 0; i < factors.size(); i += 2) changes.factors.push_back({factors[i], factors[i + 1]});
    return changes;
}

/** @param n_vocab of the vocabulary that its tokens are of */
TopDistributions top_distributions(const Napi::Value& value, const std::string& name, std::uint32_t n_vocab) {
    const Napi::Object given = arguments::object(value, name);
    TopDistributions top{arguments::integer<std::uint32_t>(given.Get("width"), "width", 1U, n_vocab),
                         arguments::int32s(given.Get("tokens"), "tokens"),
                         arguments::floats(given.Get("logProb"), "logProb")};
    const auto last = static_cast<std::int32_t>(n_vocab) - 1;
    const auto known = [=](std::int32_t token) { return token >= 0 && token <= last; };
    if (top.tokens.size() % top.width != 0 || top.tokens.size() != top.log_prob.size() ||
        !std::all_of(top.tokens.begin(), top.tokens.end(), known)) {
        throw arguments::wrong(value, name, "rows of tokens of the vocabulary and their probabilities");
    }
    return top;
}

/** The C++ object behind one of our classes' objects; any other object has another behind it, or none. */
template <typename Handle>
Handle& unwrapped(const Napi::Value& value, const std::string& name, const char* expected) {
    const Napi::Object object = arguments::object(value, name);
    if (!object.CheckTypeTag(&Handle::tag)) throw arguments::wrong(value, name, expected);
    return *Handle::Unwrap(object);
}

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

std::shared_ptr<const Control> control(const Napi::Value& value) {
    return unwrapped<ControlHandle>(value, "control", "a Control").control();
}

class ModelHandle final : public Napi::ObjectWrap<ModelHandle> {
public:
    static Napi::Function define(Napi::Env env) {
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

    static constexpr napi_type_tag tag{0x5d1f0c8b7a4e4e21, 0x9c36d2e87b15f0a4};

    explicit ModelHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ModelHandle>(info) {
        Value().TypeTag(&tag);
    }

    std::shared_ptr<const Model> model(Napi::Env env) const {
        if (!model_) throw Napi::Error::New(env, "the model is closed");
        return model_;
    }

private:
    Napi::Value load(const Napi::CallbackInfo& info) {
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
            [path, options](const Control& control) -> Loaded {
                return std::make_shared<Model>(path, options, control);
            },
            [self](Napi::Env env, Loaded&& loaded) -> Napi::Value {
                Unwrap(self->Value())->model_ = std::move(loaded);
                return env.Undefined();
            });
    }

    Napi::Value info(const Napi::CallbackInfo& info) {
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

    Napi::Value token_bytes(const Napi::CallbackInfo& info) {
        return typed_array<Napi::Int32Array>(info.Env(), model(info.Env())->token_bytes());
    }

    Napi::Value chat_prompt(const Napi::CallbackInfo& info) {
        const auto held = model(info.Env());
        const std::string question = arguments::string(info[0], "question");
        const auto prompt = guarded(info.Env(), [&] { return held->chat_prompt(question); });
        return prompt ? Napi::String::New(info.Env(), *prompt) : info.Env().Null();
    }

    Napi::Value text(const Napi::CallbackInfo& info) {
        const auto held = model(info.Env());
        const auto tokens = arguments::int32s(info[0], "tokens");
        return Napi::String::New(info.Env(), guarded(info.Env(), [&] { return held->text(tokens); }));
    }

    Napi::Value tokenize(const Napi::CallbackInfo& info) {
        const auto held = model(info.Env());
        const std::string text = arguments::string(info[0], "text");
        const bool add_special = arguments::boolean(info[1], "addSpecial");
        const bool parse_special = arguments::boolean(info[2], "parseSpecial");
        return Task<std::vector<llama_token>>::run(
            info.Env(), control(info[3]),
            [=](const Control&) { return held->tokenize(text, add_special, parse_special); },
            [](Napi::Env env, std::vector<llama_token>&& tokens) {
                return typed_array<Napi::Int32Array>(env, tokens);
            });
    }

    void close(const Napi::CallbackInfo&) { model_.reset(); }

    std::shared_ptr<const Model> model_;
};

/** Sums of a least-squares problem, held between the tasks that add to them and those that solve it. */
class NormalEquationsHandle final : public Napi::ObjectWrap<NormalEquationsHandle> {
public:
    static Napi::Function define(Napi::Env env) {
        return DefineClass(env, "NormalEquations",
                           {
                               InstanceMethod("solve", &NormalEquationsHandle::solve),
                               InstanceMethod("meanSquares", &NormalEquationsHandle::mean_squares),
                               InstanceMethod("close", &NormalEquationsHandle::close),
                           });
    }

    static constexpr napi_type_tag tag{0x3b7e90d25c1f4a68, 0x91d4c60b8e2a7f53};

    explicit NormalEquationsHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<NormalEquationsHandle>(info) {
        const auto features = arguments::integer<std::uint32_t>(info[0], "features", 1U, 1U << 20);
        const auto targets = arguments::integer<std::uint32_t>(info[1], "targets", 1U, 1U << 20);
        sums_ = guarded(info.Env(), [&] { return std::make_shared<NormalEquations>(features, targets); });
        Value().TypeTag(&tag);
    }

    /** The sums for one task. */
    std::shared_ptr<NormalEquations> take(Napi::Env env) {
        if (!sums_) throw Napi::Error::New(env, "the sums are closed");
        if (sums_.use_count() > 1) throw Napi::Error::New(env, "the sums are still busy with an earlier call");
        return sums_;
    }

private:
    Napi::Value solve(const Napi::CallbackInfo& info) {
        const auto sums = take(info.Env());
        const auto ridge = arguments::number(info[0], "ridge", std::numeric_limits<double>::min());
        const auto threads = arguments::integer<std::uint32_t>(info[1], "threads", 1U, GGML_MAX_N_THREADS);
        return Task<std::vector<float>>::run(
            info.Env(), control(info[2]), [=](const Control& control) { return sums->solve(ridge, threads, control); },
            [](Napi::Env env, std::vector<float>&& map) { return typed_array<Napi::Float32Array>(env, map); });
    }

    Napi::Value mean_squares(const Napi::CallbackInfo& info) {
        return typed_array<Napi::Float32Array>(info.Env(), take(info.Env())->mean_squares());
    }

    void close(const Napi::CallbackInfo&) { sums_.reset(); }

    std::shared_ptr<NormalEquations> sums_;
};

class SessionHandle final : public Napi::ObjectWrap<SessionHandle> {
public:
    static Napi::Function define(Napi::Env env) {
        return DefineClass(env, "Session",
                           {
                               InstanceMethod("open", &SessionHandle::open),
                               InstanceMethod("sumCosines", &SessionHandle::sum_cosines),
                               InstanceMethod("score", &SessionHandle::score),
                               InstanceMethod("logits", &SessionHandle::logits),
                               InstanceMethod("embeddings", &SessionHandle::embeddings),
                               InstanceMethod("generate", &SessionHandle::generate),
                               InstanceMethod("time", &SessionHandle::time),
                               InstanceMethod("stateNorms", &SessionHandle::state_norms),
                               InstanceMethod("fitFactors", &SessionHandle::fit_factors),
                               InstanceMethod("gather", &SessionHandle::gather),
                               InstanceMethod("close", &SessionHandle::close),
                           });
    }

    static constexpr napi_type_tag tag{0xe27a91c40f6b4d3c, 0xa85d47139ce2068f};

    explicit SessionHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SessionHandle>(info) {
        const Napi::Object given = arguments::object(info[1], "options");
        model_ = unwrapped<ModelHandle>(info[0], "model", "a Model").model(info.Env());
        Session::Options& options = options_;
        options.n_ctx = arguments::integer<std::int32_t>(given.Get("contextLength"), "contextLength", 1);
        options.n_sequences = arguments::integer<std::int32_t>(given.Get("sequences"), "sequences", 1, 64);
        options.n_ubatch = arguments::integer<std::int32_t>(given.Get("microBatch"), "microBatch", 1);
        options.n_threads = arguments::integer<std::int32_t>(given.Get("threads"), "threads", 1, GGML_MAX_N_THREADS);
        options.layout.n_blocks = arguments::integer<std::int32_t>(given.Get("blocks"), "blocks", 1, model_->n_layer());
        options.layout.n_embd = model_->n_embd();
        const Napi::Object states = arguments::object(given.Get("states"), "states");
        options.layout.output_name = arguments::string(states.Get("blockOutput"), "blockOutput");
        options.layout.block_input_name = arguments::string(states.Get("blockInput"), "blockInput");
        options.layout.input_name = arguments::string(states.Get("input"), "input");
        options.layout.last_output_name = arguments::string(states.Get("lastOutput"), "lastOutput");
        options.layout.streams = arguments::integer<std::int32_t>(states.Get("streams"), "streams", 1);
        options.layout.streams_inside = arguments::boolean(states.Get("streamsInside"), "streamsInside");
        options.layout.embeds = arguments::boolean(states.Get("embeds"), "embeds");
        options.layout.empty = block_flags(states.Get("emptyBlocks"), "emptyBlocks", options.layout.n_blocks);
        options.exact_attention = arguments::boolean(given.Get("exactAttention"), "exactAttention");
        options.kept_bytes = arguments::integer<std::size_t>(given.Get("keptBytes"), "keptBytes", 0U);
        options.layout.parallel = arguments::boolean(given.Get("parallelBlocks"), "parallelBlocks");
        Value().TypeTag(&tag);
    }

private:
    Napi::Value open(const Napi::CallbackInfo& info) {
        const auto self = std::make_shared<Napi::ObjectReference>(Napi::Persistent(Value()));
        using Opened = std::shared_ptr<Session>;
        return Task<Opened>::run(
            info.Env(), control(info[0]),
            [model = model_, options = options_](const Control&) -> Opened {
                return std::make_shared<Session>(model, options);
            },
            [self](Napi::Env env, Opened&& opened) -> Napi::Value {
                Unwrap(self->Value())->session_ = std::move(opened);
                return env.Undefined();
            });
    }

    /** The session for one task; two at a time would share one context. */
    std::shared_ptr<Session> take(Napi::Env env) {
        if (!session_) throw Napi::Error::New(env, "the session is not open");
        if (session_.use_count() > 1) throw Napi::Error::New(env, "the session is still busy with an earlier call");
        return session_;
    }

    /** A second session for the same task. */
    static std::shared_ptr<Session> take_other(const Napi::Value& value, const std::string& name,
                                               const std::shared_ptr<Session>& session) {
        auto other = unwrapped<SessionHandle>(value, name, "a Session").take(value.Env());
        if (other == session) throw arguments::wrong(value, name, "another session");
        return other;
    }

    Napi::Value sum_cosines(const Napi::CallbackInfo& info) {
        const auto session = take(info.Env());
        const auto tokens = arguments::int32s(info[0], "tokens");
        const auto first = arguments::integer<std::uint32_t>(info[1], "first", 0U);
        return Task<std::vector<double>>::run(
            info.Env(), control(info[2]),
            [=](const Control& control) { return session->sum_cosines(tokens, first, control); },
            [](Napi::Env env, std::vector<double>&& sums) { return typed_array<Napi::Float64Array>(env, sums); });
    }

    Napi::Value score(const Napi::CallbackInfo& info) {
        const auto session = take(info.Env());
        const auto tokens = arguments::int32s(info[0], "tokens");
        const Napi::Object given = arguments::object(info[1], "options");
        const auto first = arguments::integer<std::uint32_t>(given.Get("first"), "first", 1U);
        const auto changes = block_changes(given, session->layout());
        std::shared_ptr<Session> base;
        BlockChanges base_changes;
        if (const Napi::Value base_value = given.Get("base"); !base_value.IsUndefined()) {
            base = take_other(base_value, "base", session);
            base_changes = block_changes(arguments::object(given.Get("baseChanges"), "baseChanges"), base->layout());
            if (base->model().n_vocab() != session->model().n_vocab()) {
                throw arguments::wrong(base_value, "base", "a session with as large a vocabulary");
            }
        }
        std::shared_ptr<LogitsFile> file;
        if (const Napi::Value file_value = given.Get("file"); !file_value.IsUndefined()) {
            const Napi::Object named = arguments::object(file_value, "file");
            const std::string path = arguments::string(named.Get("path"), "path");
            const auto mode =
                arguments::boolean(named.Get("append"), "append") ? LogitsFile::Mode::append : LogitsFile::Mode::read;
            const auto offset = arguments::integer<std::uint64_t>(named.Get("offset"), "offset", 0U);
            file = guarded(info.Env(), [&] { return std::make_shared<LogitsFile>(path, mode, offset); });
        }
        const auto n_vocab = static_cast<std::uint32_t>(session->model().n_vocab());
        const auto keep_top = arguments::integer<std::uint32_t>(given.Get("keepTop"), "keepTop", 0U, n_vocab);
        std::shared_ptr<const TopDistributions> base_top;
        if (const Napi::Value top = given.Get("baseTop"); !top.IsUndefined()) {
            base_top = std::make_shared<TopDistributions>(top_distributions(top, "baseTop", n_vocab));
        }
        return Task<Session::Scores>::run(
            info.Env(), control(info[2]),
            [=](const Control& control) {
                Session::Comparison comparison{nullptr, file.get(), base_top.get(), keep_top};
                if (!base) return session->score(tokens, first, changes, comparison, control);
                const Session::Base side{*base, base_changes};
                comparison.base = &side;
                return session->score(tokens, first, changes, comparison, control);
            },
            [](Napi::Env env, Session::Scores&& scores) -> Napi::Value {
                Napi::Object result = Napi::Object::New(env);
                result.Set("logProb", typed_array<Napi::Float64Array>(env, scores.log_prob));
                result.Set("baseLogProb", typed_array<Napi::Float64Array>(env, scores.base_log_prob));
                result.Set("kl", typed_array<Napi::Float64Array>(env, scores.kl));
                result.Set("sameTop", typed_array<Napi::Uint8Array>(env, scores.same_top));
                if (scores.top.width > 0) {
                    Napi::Object top = Napi::Object::New(env);
                    top.Set("width", static_cast<double>(scores.top.width));
                    top.Set("tokens", typed_array<Napi::Int32Array>(env, scores.top.tokens));
                    top.Set("logProb", typed_array<Napi::Float32Array>(env, scores.top.log_prob));
                    result.Set("top", top);
                }
                return result;
            });
    }

    Napi::Value logits(const Napi::CallbackInfo& info) {
        const auto session = take(info.Env());
        const auto tokens = arguments::int32s(info[0], "tokens");
        const auto changes = block_changes(arguments::object(info[1], "changes"), session->layout());
        return Task<std::vector<float>>::run(
            info.Env(), control(info[2]),
            [=](const Control& control) { return session->logits(tokens, changes, control); },
            [](Napi::Env env, std::vector<float>&& logits) { return typed_array<Napi::Float32Array>(env, logits); });
    }

    Napi::Value embeddings(const Napi::CallbackInfo& info) {
        const auto session = take(info.Env());
        const auto tokens = arguments::int32s(info[0], "tokens");
        const auto changes = block_changes(arguments::object(info[1], "changes"), session->layout());
        return Task<std::vector<float>>::run(
            info.Env(), control(info[2]),
            [=](const Control& control) { return session->embeddings(tokens, changes, control); },
            [](Napi::Env env, std::vector<float>&& rows) { return typed_array<Napi::Float32Array>(env, rows); });
    }

    Napi::Value generate(const Napi::CallbackInfo& info) {
        const auto session = take(info.Env());
        const Napi::Value given = info[0];
        if (!given.IsArray()) throw arguments::wrong(given, "prompts", "an array of Int32Arrays");
        const auto array = given.As<Napi::Array>();
        std::vector<std::vector<llama_token>> prompts;
        for (std::uint32_t i = 0; i < array.Length(); ++i)
            prompts.push_back(arguments::int32s(array.Get(i), "prompts"));
        const auto length = arguments::integer<std::uint32_t>(info[1], "length", 0U);
        const auto changes = block_changes(arguments::object(info[2], "changes"), session->layout());
        using Generated = std::vector<std::vector<llama_token>>;
        return Task<Generated>::run(
            info.Env(), control(info[3]),
            [=](const Control& control) { return session->generate(prompts, length, changes, control); },
            [](Napi::Env env, Generated&& generated) -> Napi::Value {
                Napi::Array result = Napi::Array::New(env, generated.size());
                for (std::uint32_t i = 0; i < generated.size(); ++i) {
                    result.Set(i, typed_array<Napi::Int32Array>(env, generated[i]));
                }
                return result;
            });
    }

    Napi::Value state_norms(const Napi::CallbackInfo& info) {
        const auto session = take(info.Env());
        const auto tokens = arguments::int32s(info[0], "tokens");
        return Task<std::vector<float>>::run(
            info.Env(), control(info[1]), [=](const Control& control) { return session->state_norms(tokens, control); },
            [](Napi::Env env, std::vector<float>&& norms) { return typed_array<Napi::Float32Array>(env, norms); });
    }

    Napi::Value fit_factors(const Napi::CallbackInfo& info) {
        const auto session = take(info.Env());
        const auto tokens = arguments::int32s(info[0], "tokens");
        const Napi::Object given = arguments::object(info[1], "options");
        const auto length = arguments::integer<std::uint32_t>(given.Get("sequenceLength"), "sequenceLength", 1U);
        const auto skipped = block_flags(given.Get("skip"), "skip", session->layout().n_blocks);
        const auto ridge = arguments::number(given.Get("ridge"), "ridge", 0.0);
        const auto original = take_other(given.Get("original"), "original", session);
        return Task<std::vector<BlockFactors>>::run(
            info.Env(), control(info[2]),
            [=](const Control& control) {
                return session->fit_factors(tokens, length, {*original, skipped, ridge}, control);
            },
            [](Napi::Env env, std::vector<BlockFactors>&& fitted) {
                std::vector<double> factors;
                for (const BlockFactors& of_block : fitted) {
                    factors.push_back(of_block.attention);
                    factors.push_back(of_block.feed_forward);
                }
                return typed_array<Napi::Float64Array>(env, factors);
            });
    }

    Napi::Value gather(const Napi::CallbackInfo& info) {
        const auto session = take(info.Env());
        const auto tokens = arguments::int32s(info[0], "tokens");
        const Napi::Object given = arguments::object(info[1], "options");
        const BlockLayout& layout = session->layout();
        const auto before = arguments::integer<std::int32_t>(given.Get("before"), "before", 0, layout.n_blocks - 2);
        const Session::Gap gap{
            {before, arguments::string(given.Get("weight"), "weight")},
            arguments::integer<std::int32_t>(given.Get("last"), "last", before + 1, layout.n_blocks - 1),
            arguments::number(given.Get("epsilon"), "epsilon", 0.0)};
        const auto changes = block_changes(given, layout);
        std::shared_ptr<Session> original;
        if (const Napi::Value value = given.Get("original"); !value.IsUndefined()) {
            original = take_other(value, "original", session);
        }
        const auto sums = [&](const char* name) -> std::shared_ptr<NormalEquations> {
            const Napi::Value value = given.Get(name);
            if (value.IsUndefined()) return nullptr;
            auto taken = unwrapped<NormalEquationsHandle>(value, name, "NormalEquations").take(info.Env());
            if (taken->n_targets() != static_cast<std::size_t>(layout.n_embd)) {
                throw arguments::wrong(value, name, "sums with as many targets as the embedding is long");
            }
            return taken;
        };
        const auto product = sums("product");
        const auto normalized = sums("normalized");
        if (product && gap.before.weight.empty()) {
            throw arguments::wrong(given.Get("weight"), "weight", "the name of the tensor whose input is wanted");
        }
        return Task<bool>::run(
            info.Env(), control(info[2]),
            [=](const Control& control) {
                session->gather(tokens, gap, changes, original.get(), {product.get(), normalized.get()}, control);
                return true;
            },
            [](Napi::Env env, bool&&) { return env.Undefined(); });
    }

    Napi::Value time(const Napi::CallbackInfo& info) {
        const auto session = take(info.Env());
        const auto tokens = arguments::int32s(info[0], "tokens");
        const auto prompt = arguments::integer<std::uint32_t>(info[1], "prompt", 1U);
        const bool every_logit = arguments::boolean(info[2], "everyLogit");
        return Task<Session::Timing>::run(
            info.Env(), control(info[3]),
            [=](const Control& control) { return session->time(tokens, prompt, every_logit, control); },
            [](Napi::Env env, Session::Timing&& timing) -> Napi::Value {
                Napi::Object result = Napi::Object::New(env);
                result.Set("prompt", timing.prompt);
                result.Set("generation", timing.generation);
                return result;
            });
    }

    void close(const Napi::CallbackInfo&) {
        session_.reset();
        model_.reset();
    }

    std::shared_ptr<const Model> model_;
    Session::Options options_;
    std::shared_ptr<Session> session_;
};

void attach_to_llama(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [] { attach(LORP_LLAMA_RELEASE); });
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

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
    exports.Set("release", LORP_LLAMA_RELEASE);
    exports.Set("attach", Napi::Function::New(env, attach_to_llama, "attach"));
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
