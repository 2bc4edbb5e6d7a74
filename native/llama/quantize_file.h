#pragma once

#include <cstdint>
#include <string>

#include "control.h"
#include "llama_api.h"

namespace lorp {

struct QuantizeFileOptions {
    llama_ftype type = LLAMA_FTYPE_MOSTLY_F16;
    std::int32_t threads = 1;
    /** Whether tensors that are quantised already may be quantised once more. */
    bool allow_requantize = false;
};

/**
 * llama_model_quantize: writes `output`, which is left in any state when it fails. One file at a time in a process,
 * others wait. llama.cpp cannot be stopped while it quantises; its log tells how far it is and why it failed.
 * @throws std::runtime_error with llama.cpp's reason, Stopped while waiting
 */
void quantize_file(const std::string& input, const std::string& output, const QuantizeFileOptions& options,
                   const Control& control);

}  // namespace lorp
