// The functions of libLiteRt.so that are used here. The ai-edge-litert wheel ships the library without its headers;
// names, arguments and layouts are those of LiteRT's C interface (litert/c, Apache-2.0), versions 2.1 to 2.3.
#ifndef SPIN_LITERT_H_
#define SPIN_LITERT_H_

#include <cstddef>
#include <cstdint>

extern "C" {

struct LiteRtEnvironmentT;
struct LiteRtModelT;
struct LiteRtSignatureT;
struct LiteRtTensorT;
struct LiteRtOptionsT;
struct LiteRtOpaqueOptionsT;
struct LiteRtCompiledModelT;
struct LiteRtTensorBufferT;
struct LiteRtTensorBufferRequirementsT;
using LiteRtEnvironment = LiteRtEnvironmentT*;
using LiteRtModel = LiteRtModelT*;
using LiteRtSignature = LiteRtSignatureT*;
using LiteRtTensor = LiteRtTensorT*;
using LiteRtOptions = LiteRtOptionsT*;
using LiteRtOpaqueOptions = LiteRtOpaqueOptionsT*;
using LiteRtCompiledModel = LiteRtCompiledModelT*;
using LiteRtTensorBuffer = LiteRtTensorBufferT*;
using LiteRtTensorBufferRequirements = LiteRtTensorBufferRequirementsT*;

using LiteRtStatus = int;
using LiteRtParamIndex = std::size_t;
constexpr LiteRtStatus kLiteRtStatusOk = 0;
constexpr int kLiteRtHwAcceleratorCpu = 1;
constexpr std::int32_t kLiteRtElementTypeFloat32 = 1;
constexpr int kLiteRtTensorBufferLockModeRead = 0;
constexpr int kLiteRtTensorBufferLockModeWrite = 1;
constexpr int kLiteRtEnvOptionTagAutoRegisterAccelerators = 24;
constexpr int kLiteRtEnvOptionTagMinLoggerSeverity = 25;
constexpr int kLiteRtAnyTypeInt = 2;
constexpr std::int64_t kLiteRtLogSeverityError = 3;

struct LiteRtAny {
  int type;
  union {
    bool bool_value;
    std::int64_t int_value;
    double real_value;
    const char* str_value;
    const void* ptr_value;
  };
};

struct LiteRtEnvOption {
  int tag;
  LiteRtAny value;
};
static_assert(sizeof(LiteRtEnvOption) == 24, "the layout of the library");

struct LiteRtLayout {
  unsigned int rank : 7;
  bool has_strides : 1;
  std::int32_t dimensions[8];
  std::uint32_t strides[8];
};
static_assert(sizeof(LiteRtLayout) == 68, "the layout of the library");

struct LiteRtRankedTensorType {
  std::int32_t element_type;
  LiteRtLayout layout;
};

LiteRtStatus LiteRtCreateEnvironment(int num_options, const LiteRtEnvOption* options, LiteRtEnvironment* environment);
void LiteRtDestroyEnvironment(LiteRtEnvironment environment);

LiteRtStatus LiteRtCreateModelFromBuffer(LiteRtEnvironment environment, const void* data, std::size_t size,
                                         LiteRtModel* model);
void LiteRtDestroyModel(LiteRtModel model);
LiteRtStatus LiteRtGetNumModelSignatures(LiteRtModel model, LiteRtParamIndex* count);
LiteRtStatus LiteRtGetModelSignature(LiteRtModel model, LiteRtParamIndex index, LiteRtSignature* signature);
LiteRtStatus LiteRtGetSignatureKey(LiteRtSignature signature, const char** key);
LiteRtStatus LiteRtGetNumSignatureInputs(LiteRtSignature signature, LiteRtParamIndex* count);
LiteRtStatus LiteRtGetSignatureInputName(LiteRtSignature signature, LiteRtParamIndex index, const char** name);
LiteRtStatus LiteRtGetSignatureInputTensorByIndex(LiteRtSignature signature, LiteRtParamIndex index, LiteRtTensor* tensor);
LiteRtStatus LiteRtGetNumSignatureOutputs(LiteRtSignature signature, LiteRtParamIndex* count);
LiteRtStatus LiteRtGetSignatureOutputName(LiteRtSignature signature, LiteRtParamIndex index, const char** name);
LiteRtStatus LiteRtGetSignatureOutputTensorByIndex(LiteRtSignature signature, LiteRtParamIndex index,
                                                   LiteRtTensor* tensor);
LiteRtStatus LiteRtGetRankedTensorType(LiteRtTensor tensor, LiteRtRankedTensorType* type);

LiteRtStatus LiteRtCreateOptions(LiteRtOptions* options);
void LiteRtDestroyOptions(LiteRtOptions options);
LiteRtStatus LiteRtSetOptionsHardwareAccelerators(LiteRtOptions options, int accelerators);
LiteRtStatus LiteRtCreateOpaqueOptions(const char* identifier, void* payload, void (*destructor)(void*),
                                       LiteRtOpaqueOptions* options);
void LiteRtDestroyOpaqueOptions(LiteRtOpaqueOptions options);
LiteRtStatus LiteRtAddOpaqueOptions(LiteRtOptions options, LiteRtOpaqueOptions opaque);

LiteRtStatus LiteRtCreateCompiledModel(LiteRtEnvironment environment, LiteRtModel model, LiteRtOptions options,
                                       LiteRtCompiledModel* compiled);
void LiteRtDestroyCompiledModel(LiteRtCompiledModel compiled);
LiteRtStatus LiteRtGetCompiledModelInputBufferRequirements(LiteRtCompiledModel compiled, LiteRtParamIndex signature,
                                                           LiteRtParamIndex index,
                                                           LiteRtTensorBufferRequirements* requirements);
LiteRtStatus LiteRtGetCompiledModelOutputBufferRequirements(LiteRtCompiledModel compiled, LiteRtParamIndex signature,
                                                            LiteRtParamIndex index,
                                                            LiteRtTensorBufferRequirements* requirements);
LiteRtStatus LiteRtGetCompiledModelOutputTensorLayouts(LiteRtCompiledModel compiled, LiteRtParamIndex signature,
                                                       std::size_t count, LiteRtLayout* layouts, bool update_allocation);
LiteRtStatus LiteRtRunCompiledModel(LiteRtCompiledModel compiled, LiteRtParamIndex signature, std::size_t num_inputs,
                                    LiteRtTensorBuffer* inputs, std::size_t num_outputs, LiteRtTensorBuffer* outputs);

LiteRtStatus LiteRtCreateManagedTensorBufferFromRequirements(LiteRtEnvironment environment,
                                                             const LiteRtRankedTensorType* type,
                                                             LiteRtTensorBufferRequirements requirements,
                                                             LiteRtTensorBuffer* buffer);
void LiteRtDestroyTensorBuffer(LiteRtTensorBuffer buffer);
LiteRtStatus LiteRtLockTensorBuffer(LiteRtTensorBuffer buffer, void** address, int mode);
LiteRtStatus LiteRtUnlockTensorBuffer(LiteRtTensorBuffer buffer);
LiteRtStatus LiteRtGetTensorBufferSize(LiteRtTensorBuffer buffer, std::size_t* size);

}  // extern "C"

#endif  // SPIN_LITERT_H_
