#pragma once

#include <atomic>
#include <cstdint>

namespace lorp {

/** Two words that JavaScript and the native thread share: [0] JavaScript asks to stop, [1] native progress in 1/1000.
 */
class Control {
public:
    explicit Control(std::int32_t* words) : words_(words) {}

    bool stop_requested() const { return std::atomic_ref(words_[0]).load(std::memory_order_relaxed) != 0; }
    void report(double fraction) const {
        std::atomic_ref(words_[1]).store(static_cast<std::int32_t>(fraction * 1000), std::memory_order_relaxed);
    }

private:
    std::int32_t* words_;
};

/** Thrown where work ends because `stop_requested`; reaches JavaScript as an Error with code ABORTED. */
struct Stopped {};

}  // namespace lorp
