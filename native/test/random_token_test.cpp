// Draws against the probabilities that they are to follow, and against the inverse of the distribution in long double.

#include "random_token.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <vector>

#include "log_softmax.h"

namespace {

int failures = 0;

void check(bool condition, const char* what) {
    if (condition) return;
    std::printf("FAILED: %s\n", what);
    ++failures;
}

/** The index at which the sum of the probabilities first exceeds a share. */
std::size_t index_at(const std::vector<float>& logits, long double share) {
    long double total = 0;
    for (const float x : logits) total += std::exp(static_cast<long double>(x));
    long double sum = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
        sum += std::exp(static_cast<long double>(logits[i])) / total;
        if (sum > share) return i;
    }
    return logits.size() - 1;
}

}  // namespace

int main() {
    using lorp::RandomToken;
    const float never = -std::numeric_limits<float>::infinity();
    const std::vector<float> logits{0.5F, never, 2.0F, -1.0F, 0.0F, 1.5F};
    const double normalizer = lorp::log_sum_exp(logits);

    RandomToken tokens(7, 3);
    std::seed_seq seed{7U, 3U};
    std::mt19937_64 random(seed);
    constexpr int n = 200'000;
    std::vector<int> drawn(logits.size());
    for (int i = 0; i < n; ++i) {
        const std::size_t token = tokens.draw(logits, normalizer);
        const long double share = static_cast<long double>(random() >> 11) / 9007199254740992.0L;
        if (token != index_at(logits, share)) check(false, "a draw is the inverse of the distribution");
        ++drawn[token];
    }
    for (std::size_t i = 0; i < logits.size(); ++i) {
        const double p = std::exp(static_cast<double>(logits[i]) - normalizer);
        check(std::abs(drawn[i] - n * p) <= 5 * std::sqrt(n * p * (1 - p)), "tokens are as frequent as they are probable");
    }

    RandomToken one(1, 0), again(1, 0), other_seed(2, 0), other_stream(1, 1);
    int same = 0, seeds = 0, streams = 0;
    for (int i = 0; i < 1000; ++i) {
        const std::size_t token = one.draw(logits, normalizer);
        same += token == again.draw(logits, normalizer) ? 1 : 0;
        seeds += token == other_seed.draw(logits, normalizer) ? 1 : 0;
        streams += token == other_stream.draw(logits, normalizer) ? 1 : 0;
    }
    check(same == 1000, "the same seed and stream draw the same");
    check(seeds < 600 && streams < 600, "another seed or stream draws differently");

    const std::vector<float> single{3.0F};
    check(one.draw(single, lorp::log_sum_exp(single)) == 0, "the only token is drawn");
    // What rounding leaves of the sum goes to the likeliest.
    check(one.draw(logits, normalizer + 40) == 2, "a sum that is too small ends with the likeliest");
    check(lorp::likeliest(logits) == 2, "the likeliest has the largest logit");
    if (failures == 0) std::printf("random_token: all right\n");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
