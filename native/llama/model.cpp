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

}  // namespace lorp
