#pragma once

#include <cstddef>
#include <vector>

namespace lorp {

/// A real symmetric matrix's eigenvalues, ascending, and its orthonormal eigenvectors: vector i is row i.
struct SymmetricEigen {
    std::vector<double> values;
    std::vector<double> vectors;
};

/// Householder reduction to tridiagonal form, then implicit QR steps with Wilkinson's shift (Golub & Van Loan,
/// "Matrix Computations", sections 8.3.1 and 8.3.2). O(n^3).
///
/// @param matrix n*n, row-major, finite; overwritten
/// @throws std::runtime_error if the iteration does not converge
SymmetricEigen symmetric_eigen(std::vector<double> matrix, std::size_t n);

}  // namespace lorp
