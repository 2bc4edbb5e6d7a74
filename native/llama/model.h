#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "control.h"
#include "llama_api.h"

namespace lorp {

/** Weights and vocabulary, loaded by the attached llama.cpp. */
class Model {
public:
    struct Options {
        /** Layers kept in GPU memory; negative: all. */
        std::int32_t gpu_layers = 0;
        /**
         * Weights on the CPU rearranged for speed, where their type allows it (llama_model_params.use_extra_bufts):
         * twice as fast for Q4_K, but the weights are then a copy in memory, not the mapped file.
         */
        bool repack = true;
    };

    /** llama_model_load_from_file; finds the other parts of a split model itself. @throws std::runtime_error, Stopped
     */
    Model(const std::string& path, const Options& options, const Control& control);

    llama_model* get() const { return model_.get(); }
    std::int32_t n_layer() const { return llama().llama_model_n_layer(get()); }
    std::int32_t n_embd() const { return llama().llama_model_n_embd(get()); }
    std::int32_t n_vocab() const { return llama().llama_vocab_n_tokens(vocab()); }
    const llama_vocab* vocab() const { return llama().llama_model_get_vocab(get()); }

    /** The token that llama.cpp puts before a text, or LLAMA_TOKEN_NULL for a model that wants none. */
    llama_token bos() const {
        return llama().llama_vocab_get_add_bos(vocab()) ? llama().llama_vocab_bos(vocab()) : LLAMA_TOKEN_NULL;
    }
    /** Bytes of text that each token of the vocabulary stands for (llama_token_to_piece); n_vocab numbers. */
    std::vector<std::int32_t> token_bytes() const;

    /** llama_tokenize. @throws std::runtime_error if the model has no tokenizer */
    std::vector<llama_token> tokenize(const std::string& text, bool add_special, bool parse_special) const;

    /**
     * A question in the model's own chat format, up to where the answer begins (llama_chat_apply_template).
     * @return nothing without a chat template, or with one that llama.cpp does not know
     */
    std::optional<std::string> chat_prompt(const std::string& question) const;

    /** The text of tokens as bytes, special ones left out. @throws std::runtime_error for a token out of range */
    std::string text(std::span<const llama_token> tokens) const;

    /** Whether a token ends what a model generates. */
    bool ends(llama_token token) const { return llama().llama_vocab_is_eog(vocab(), token); }

private:
    struct Free {
        void operator()(llama_model* model) const { llama().llama_model_free(model); }
    };
    std::unique_ptr<llama_model, Free> model_;
};

}  // namespace lorp
