#pragma once

#include <napi.h>

// What the addon offers of llama.cpp's quantisation; src/native/addon.ts describes it.

namespace lorp {

Napi::Value quantize_model_file(const Napi::CallbackInfo& info);
Napi::Value quantize_values(const Napi::CallbackInfo& info);
Napi::Value dequantize_bytes(const Napi::CallbackInfo& info);

}  // namespace lorp
