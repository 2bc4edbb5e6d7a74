#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "control.h"
#include "llama_api.h"

namespace lorp {

/** How much each column of a weight matrix counts, of experts one row each. */
struct Importance {
    std::string tensor;
    std::vector<float> values;
};

/** A tensor type for the tensors in whose name a regular expression is found. */
struct TensorTypeRule {
    std::string pattern;
    ggml_type type = GGML_TYPE_COUNT;
};

/** Metadata set in the output; keys and strings of at most 127 bytes. */
struct MetadataEntry {
    std::string key;
    std::variant<std::string, std::int64_t> value;
};

struct QuantizeFileOptions {
    llama_ftype type = LLAMA_FTYPE_MOSTLY_F16;
    std::int32_t threads = 1;
    /** Whether tensors that are quantised already may be quantised once more. */
    bool allow_requantize = false;
    std::vector<Importance> importance;
    /** The first that fits a tensor counts. */
    std::vector<TensorTypeRule> tensor_types;
    std::vector<MetadataEntry> metadata;
};

/**
 * llama_model_quantize: writes `output`, which is left in any state when it fails. llama.cpp cannot be stopped while it
 * quantises; its log, which is the process's, tells how far it is and why it failed: one file at a time.
 * @throws std::runtime_error with llama.cpp's reason
 */
void quantize_file(const std::string& input, const std::string& output, const QuantizeFileOptions& options,
                   const Control& control);

}  // namespace lorp
