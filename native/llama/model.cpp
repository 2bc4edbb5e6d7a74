#include "model.h"

#include <limits>
#include <stdexcept>

namespace lorp {

Model::Model(const std::string& path, const Options& options, const Control& control) {
    llama_model_params params = llama().llama_model_default_params();
    params.n_gpu_layers = options.gpu_layers;
    params.use_extra_bufts = options.repack;
    params.progress_callback_user_data = const_cast<Control*>(&control);
    params.progress_callback = [](float progress, void* user_data) {
        const Control& shared = *static_cast<const Control*>(user_data);
        shared.report(static_cast<double>(progress));
        return !shared.stop_requested();
    };
    model_.reset(llama().llama_model_load_from_file(path.c_str(), params));
    if (control.stop_requested()) throw Stopped{};
    if (!model_) throw std::runtime_error("llama.cpp could not load the model");
}

std::vector<llama_token> Model::tokenize(const std::string& text, bool add_special, bool parse_special) const {
    if (llama().llama_vocab_type(vocab()) == LLAMA_VOCAB_TYPE_NONE) {
        throw std::runtime_error("the model has no tokenizer");
    }
    if (text.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
        throw std::runtime_error("the text is longer than 2 GiB");
    }
    const auto length = static_cast<std::int32_t>(text.size());
    std::vector<llama_token> tokens(text.size() / 2 + 8);
    for (;;) {
        const std::int32_t count =
            llama().llama_tokenize(vocab(), text.data(), length, tokens.data(),
                                   static_cast<std::int32_t>(tokens.size()), add_special, parse_special);
        if (count == std::numeric_limits<std::int32_t>::min()) throw std::runtime_error("the text has too many tokens");
        if (count >= 0) {
            tokens.resize(static_cast<std::size_t>(count));
            return tokens;
        }
        // llama_tokenize answers with the negative of the size it needs.
        tokens.resize(static_cast<std::size_t>(-count));
    }
}

std::vector<std::int32_t> Model::token_bytes() const {
    std::vector<std::int32_t> bytes(static_cast<std::size_t>(n_vocab()));
    for (llama_token token = 0; token < n_vocab(); ++token) {
        // Without room for the piece, it answers with the negative of the size it needs.
        bytes[static_cast<std::size_t>(token)] = -llama().llama_token_to_piece(vocab(), token, nullptr, 0, 0, true);
    }
    return bytes;
}

std::optional<std::string> Model::chat_prompt(const std::string& question) const {
    const char* const format = llama().llama_model_chat_template(get(), nullptr);
    if (format == nullptr) return std::nullopt;
    const llama_chat_message message{"user", question.c_str()};
    std::string prompt(2 * question.size() + 256, '\0');
    for (;;) {
        const std::int32_t size = llama().llama_chat_apply_template(format, &message, 1, true, prompt.data(),
                                                                    static_cast<std::int32_t>(prompt.size()));
        if (size < 0) return std::nullopt;
        const bool fits = static_cast<std::size_t>(size) <= prompt.size();
        prompt.resize(static_cast<std::size_t>(size));
        if (fits) return prompt;
    }
}

std::string Model::text(std::span<const llama_token> tokens) const {
    std::string text;
    std::string piece(256, '\0');
    for (const llama_token token : tokens) {
        if (token < 0 || token >= n_vocab()) throw std::runtime_error("a token is not in the vocabulary");
        std::int32_t size = llama().llama_token_to_piece(vocab(), token, piece.data(),
                                                         static_cast<std::int32_t>(piece.size()), 0, false);
        if (size < 0) {
            piece.resize(static_cast<std::size_t>(-size));
            size = llama().llama_token_to_piece(vocab(), token, piece.data(), -size, 0, false);
        }
        text.append(piece, 0, static_cast<std::size_t>(size));
    }
    return text;
}

}  // namespace lorp
