// How much slower tests run, and how much more memory they take, with the sanitizers that they may be built with.
#pragma once

namespace headlight {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HEADLIGHT_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HEADLIGHT_SANITIZED
#endif

#ifdef HEADLIGHT_SANITIZED
inline constexpr int slowness = 8;
#undef HEADLIGHT_SANITIZED
#else
inline constexpr int slowness = 1;
#endif

} // namespace headlight
