#pragma once

#include <algorithm>
#include <cstddef>
#include <thread>
#include <vector>

namespace lorp {

/** Calls `work(index)` for each index below `count`, on several threads that take every n-th; `work` must not throw. */
template <typename Work>
void parallel_for(std::size_t count, std::size_t n_threads, const Work& work) {
    const std::size_t threads = std::max<std::size_t>(1, std::min(n_threads, count));
    const auto share = [&](std::size_t first) {
        for (std::size_t index = first; index < count; index += threads) work(index);
    };
    std::vector<std::thread> others;
    for (std::size_t thread = 1; thread < threads; ++thread) others.emplace_back(share, thread);
    share(0);
    for (std::thread& other : others) other.join();
}

}  // namespace lorp
