#include "fit_factors.h"

#include <stdexcept>
#include <string>

namespace lorp {

double CaptureStream::factor(const StreamPoint& point, std::span<const float>, std::span<const float> after) {
    points_[index(point)].assign(after.begin(), after.end());
    return 1;
}

double FitFactors::factor(const StreamPoint& point, std::span<const float> before, std::span<const float> after) {
    const std::span<const float> target = original_.at(point);
    if (target.size() != after.size()) {
        throw std::runtime_error("block " + std::to_string(point.block) + " of the original model was not found");
    }
    FactorSums& sums =
        sums_[2 * static_cast<std::size_t>(point.block) + (point.kind == StreamPoint::Kind::output ? 1 : 0)];
    const auto n_embd = static_cast<std::size_t>(options_.n_embd);
    for (std::size_t from = options_.ignored * n_embd; from < after.size(); from += n_embd) {
        double along = 0;
        double squared = 0;
        double norm = 0;
        for (std::size_t i = from; i < from + n_embd; ++i) {
            const double added = static_cast<double>(after[i]) - static_cast<double>(before[i]);
            const auto wanted = static_cast<double>(target[i]);
            along += added * (wanted - static_cast<double>(before[i]));
            squared += added * added;
            norm += wanted * wanted;
        }
        if (norm <= 0) continue;
        sums.along += along / norm;
        sums.squared += squared / norm;
    }
    return sums.solve(options_.ridge);
}

}  // namespace lorp
