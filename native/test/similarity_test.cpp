// Sums of cosines against the definition, written out in long double: shapes at and around the tile's edges, zero and
// huge and tiny vectors, and accumulation over micro-batches.

#include "similarity.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

namespace {

int failures = 0;

void check(bool condition, const char* what, std::size_t layers, std::size_t tokens, std::size_t n_embd) {
    if (condition) return;
    std::printf("FAILED: %s with %zu layers, %zu tokens, %zu dimensions\n", what, layers, tokens, n_embd);
    ++failures;
}

long double cosine(const float* a, const float* b, std::size_t n) {
    long double dot = 0, a_squared = 0, b_squared = 0;
    for (std::size_t e = 0; e < n; ++e) {
        const long double x = a[e], y = b[e];
        dot += x * y;
        a_squared += x * x;
        b_squared += y * y;
    }
    return a_squared > 0 && b_squared > 0 ? dot / std::sqrt(a_squared * b_squared) : 0;
}

/** Layers that resemble each other as a residual stream's do: each is the one before and something new. */
std::vector<float> stream(std::size_t layers, std::size_t tokens, std::size_t n_embd, float scale,
                          std::mt19937& random) {
    std::normal_distribution<float> normal(0, scale);
    std::vector<float> states(layers * tokens * n_embd);
    const std::size_t layer_size = tokens * n_embd;
    for (std::size_t i = 0; i < states.size(); ++i) {
        states[i] = normal(random) + (i >= layer_size ? states[i - layer_size] : 0.0F);
    }
    return states;
}

void compare(std::size_t layers, std::size_t tokens, std::size_t n_embd, float scale, bool with_zeros,
             std::mt19937& random) {
    constexpr double untouched = 12345;
    std::vector<double> sums(layers * layers, untouched);
    std::vector<long double> expected(layers * layers, untouched);
    for (int batch = 0; batch < 2; ++batch) {
        std::vector<float> states = stream(layers, tokens, n_embd, scale, random);
        const auto state = [&](std::size_t layer, std::size_t token) {
            return states.data() + (layer * tokens + token) * n_embd;
        };
        if (with_zeros) std::fill_n(state(layers / 2, tokens / 2), n_embd, 0.0F);
        for (std::size_t i = 0; i < layers; ++i) {
            for (std::size_t j = i + 1; j < layers; ++j) {
                for (std::size_t t = 0; t < tokens; ++t)
                    expected[i * layers + j] += cosine(state(i, t), state(j, t), n_embd);
            }
        }
        lorp::accumulate_cosines(states, layers, tokens, n_embd, sums);
    }
    double worst = 0;
    bool others_untouched = true;
    for (std::size_t i = 0; i < layers; ++i) {
        for (std::size_t j = 0; j < layers; ++j) {
            const double error = std::abs(sums[i * layers + j] - static_cast<double>(expected[i * layers + j]));
            if (i < j)
                worst = std::max(worst, error / (2.0 * static_cast<double>(tokens)));
            else
                others_untouched = others_untouched && error == 0;
        }
    }
    check(worst < 1e-6, "mean cosines within 1e-6", layers, tokens, n_embd);
    check(others_untouched, "nothing written on or below the diagonal", layers, tokens, n_embd);
}

}  // namespace

int main() {
    std::mt19937 random(1);
    for (const std::size_t layers : {1, 2, 3, 4, 5, 7, 8, 9, 20}) {
        for (const std::size_t n_embd : {1, 3, 16, 31, 256, 1023, 1024, 1025, 2049}) {
            compare(layers, 3, n_embd, 1, false, random);
            compare(layers, 1, n_embd, 1, true, random);
        }
    }
    for (const float scale : {1e-12F, 1e-4F, 1e4F, 1e12F}) compare(6, 5, 96, scale, false, random);
    compare(128, 2, 64, 1, true, random);
    if (failures == 0) std::printf("similarity: all comparisons passed\n");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
