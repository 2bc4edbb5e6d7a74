#pragma once

#include <napi.h>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "control.h"

namespace lorp {

/**
 * Runs `work` on a thread of Node's pool and gives JavaScript a promise of `convert(env, result)`. An exception in
 * `work` rejects the promise with its message; `Stopped` with code ABORTED, std::domain_error with RUNTIME_NAN.
 */
template <typename Result>
class Task final : public Napi::AsyncWorker {
public:
    using Work = std::function<Result(const Control&)>;
    using Convert = std::function<Napi::Value(Napi::Env, Result&&)>;

    static Napi::Promise run(Napi::Env env, std::shared_ptr<const Control> control, Work work, Convert convert) {
        // Node owns the worker and deletes it when it is done.
        auto* const task = new Task(env, std::move(control), std::move(work), std::move(convert));
        const Napi::Promise promise = task->deferred_.Promise();
        task->Queue();
        return promise;
    }

protected:
    void Execute() override {
        try {
            result_.emplace(work_(*control_));
        } catch (const Stopped&) {
            code_ = "ABORTED";
            SetError("stopped");
        } catch (const std::domain_error& error) {
            code_ = "RUNTIME_NAN";
            SetError(error.what());
        } catch (const std::exception& error) {
            SetError(error.what());
        } catch (...) {
            SetError("unknown native error");
        }
        // What the work holds is freed here, off the main thread.
        work_ = nullptr;
    }

    // Of a worker thread that is being terminated no JavaScript can be run; NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
    // (CMakeLists.txt) lets what is thrown here for that end here.
    void OnOK() override { deferred_.Resolve(convert_(Env(), std::move(*result_))); }

    void OnError(const Napi::Error& error) override {
        if (code_ != nullptr) error.Set("code", code_);
        deferred_.Reject(error.Value());
    }

private:
    Task(Napi::Env env, std::shared_ptr<const Control> control, Work work, Convert convert)
        : Napi::AsyncWorker(env),
          deferred_(Napi::Promise::Deferred::New(env)),
          control_(std::move(control)),
          work_(std::move(work)),
          convert_(std::move(convert)) {}

    Napi::Promise::Deferred deferred_;
    std::shared_ptr<const Control> control_;
    Work work_;
    Convert convert_;
    std::optional<Result> result_;
    /** Of the exception, if it has one. */
    const char* code_ = nullptr;
};

}  // namespace lorp
