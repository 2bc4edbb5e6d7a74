#pragma once

#include <llama.h>

#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml-cpu.h>

#include <string_view>

// Everything we call of llama.cpp and ggml, looked up by name in the library that node-llama-cpp has loaded.
#define LORP_LLAMA_FUNCTIONS(X)            \
    X(ggml_backend_alloc_ctx_tensors)      \
    X(ggml_backend_buffer_free)            \
    X(ggml_backend_dev_backend_reg)        \
    X(ggml_backend_dev_by_type)            \
    X(ggml_backend_dev_count)              \
    X(ggml_backend_dev_description)        \
    X(ggml_backend_dev_get)                \
    X(ggml_backend_dev_init)               \
    X(ggml_backend_dev_type)               \
    X(ggml_backend_free)                   \
    X(ggml_backend_graph_compute)          \
    X(ggml_backend_load)                   \
    X(ggml_backend_reg_get_proc_address)   \
    X(ggml_backend_register)               \
    X(ggml_backend_tensor_get)             \
    X(ggml_backend_tensor_set)             \
    X(ggml_build_forward_expand)           \
    X(ggml_free)                           \
    X(ggml_get_type_traits)                \
    X(ggml_graph_overhead)                 \
    X(ggml_init)                           \
    X(ggml_is_contiguous)                  \
    X(ggml_mul_mat)                        \
    X(ggml_nbytes)                         \
    X(ggml_new_graph)                      \
    X(ggml_new_tensor_2d)                  \
    X(ggml_quantize_chunk)                 \
    X(ggml_tensor_overhead)                \
    X(ggml_threadpool_params_default)      \
    X(llama_attach_threadpool)             \
    X(llama_chat_apply_template)           \
    X(llama_context_default_params)        \
    X(llama_decode)                        \
    X(llama_free)                          \
    X(llama_get_embeddings_ith)            \
    X(llama_get_logits_ith)                \
    X(llama_get_memory)                    \
    X(llama_init_from_model)               \
    X(llama_log_get)                       \
    X(llama_log_set)                       \
    X(llama_memory_clear)                  \
    X(llama_model_chat_template)           \
    X(llama_model_default_params)          \
    X(llama_model_free)                    \
    X(llama_model_get_vocab)               \
    X(llama_model_load_from_file)          \
    X(llama_model_n_ctx_train)             \
    X(llama_model_n_embd)                  \
    X(llama_model_n_embd_out)              \
    X(llama_model_n_layer)                 \
    X(llama_model_n_params)                \
    X(llama_model_quantize)                \
    X(llama_model_quantize_default_params) \
    X(llama_token_to_piece)                \
    X(llama_tokenize)                      \
    X(llama_vocab_bos)                     \
    X(llama_vocab_get_add_bos)             \
    X(llama_vocab_is_eog)                  \
    X(llama_vocab_n_tokens)                \
    X(llama_vocab_type)

namespace lorp {

struct LlamaApi {
#define LORP_DECLARE(name) decltype(&::name) name = nullptr;
    LORP_LLAMA_FUNCTIONS(LORP_DECLARE)
#undef LORP_DECLARE
};

/**
 * Fills the table from the llama.cpp that is in this process, whatever its files are called; loads nothing.
 *
 * @param release the release whose headers this is compiled with, e.g. v0.5.0
 * @throws std::runtime_error if there is none, none of that release, or the first function that it lacks
 */
void attach(std::string_view release);

/** The table. @throws std::runtime_error before `attach` */
const LlamaApi& llama();

}  // namespace lorp
