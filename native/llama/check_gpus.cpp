#include "check_gpus.h"

#include <array>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>

#include "llama_api.h"

namespace lorp {
namespace {

constexpr std::int64_t width = 64;
constexpr std::int64_t rows = 32;

template <auto LlamaApi::* release>
struct Release {
    template <typename Handle>
    void operator()(Handle* handle) const {
        (llama().*release)(handle);
    }
};
using Backend = std::unique_ptr<ggml_backend, Release<&LlamaApi::ggml_backend_free>>;
using Context = std::unique_ptr<ggml_context, Release<&LlamaApi::ggml_free>>;
using Buffer = std::unique_ptr<ggml_backend_buffer, Release<&LlamaApi::ggml_backend_buffer_free>>;

using Matrix = std::array<float, width * rows>;

/** Of small integers, so that every sum of products is exact in F16 as well. */
Matrix numbers(std::size_t step) {
    Matrix matrix{};
    for (std::size_t i = 0; i < matrix.size(); ++i) matrix[i] = static_cast<float>(i * step % 5) - 2;
    return matrix;
}

/** Rows of `a` times rows of `b`, as ggml_mul_mat orders them. */
bool is_product(const std::array<float, rows * rows>& product, const Matrix& a, const Matrix& b) {
    for (std::size_t j = 0; j < rows; ++j) {
        for (std::size_t i = 0; i < rows; ++i) {
            float sum = 0;
            for (std::size_t k = 0; k < width; ++k) sum += a[i * width + k] * b[j * width + k];
            if (!(std::abs(product[j * rows + i] - sum) < 0.5F)) return false;
        }
    }
    return true;
}

void check(ggml_backend_dev_t device) {
    const LlamaApi& api = llama();
    const std::string name = api.ggml_backend_dev_description(device);
    const Backend backend(api.ggml_backend_dev_init(device, nullptr));
    if (!backend) throw std::runtime_error(name + " does not start");
    const Context context(api.ggml_init({3 * api.ggml_tensor_overhead() + api.ggml_graph_overhead(), nullptr, true}));
    ggml_tensor* const left = api.ggml_new_tensor_2d(context.get(), GGML_TYPE_F32, width, rows);
    ggml_tensor* const right = api.ggml_new_tensor_2d(context.get(), GGML_TYPE_F32, width, rows);
    ggml_tensor* const result = api.ggml_mul_mat(context.get(), left, right);
    ggml_cgraph* const graph = api.ggml_new_graph(context.get());
    api.ggml_build_forward_expand(graph, result);
    const Buffer buffer(api.ggml_backend_alloc_ctx_tensors(context.get(), backend.get()));
    if (!buffer) throw std::runtime_error(name + " has no memory left");
    const Matrix a = numbers(3);
    const Matrix b = numbers(7);
    api.ggml_backend_tensor_set(left, a.data(), 0, sizeof a);
    api.ggml_backend_tensor_set(right, b.data(), 0, sizeof b);
    std::array<float, rows * rows> product{};
    if (api.ggml_backend_graph_compute(backend.get(), graph) == GGML_STATUS_SUCCESS) {
        api.ggml_backend_tensor_get(result, product.data(), 0, sizeof product);
        if (is_product(product, a, b)) return;
    }
    throw std::runtime_error(name + " computes a wrong product");
}

}  // namespace

void check_gpus() {
    for (std::size_t i = 0; i < llama().ggml_backend_dev_count(); ++i) {
        ggml_backend_dev_t const device = llama().ggml_backend_dev_get(i);
        const auto type = llama().ggml_backend_dev_type(device);
        if (type == GGML_BACKEND_DEVICE_TYPE_GPU || type == GGML_BACKEND_DEVICE_TYPE_IGPU) check(device);
    }
}

}  // namespace lorp
