#pragma once

#include <atomic>

namespace lorp {

/** What the main thread and the thread that works share: whether to stop, and how far the work is. */
class Control {
public:
    void stop() { stop_.store(true, std::memory_order_relaxed); }
    bool stop_requested() const { return stop_.load(std::memory_order_relaxed); }
    void report(double fraction) const { progress_.store(fraction, std::memory_order_relaxed); }
    double progress() const { return progress_.load(std::memory_order_relaxed); }

private:
    std::atomic<bool> stop_ = false;
    mutable std::atomic<double> progress_ = 0;
};

/** Thrown where work ends because `stop_requested`; reaches JavaScript as an Error with code ABORTED. */
struct Stopped {};

}  // namespace lorp
