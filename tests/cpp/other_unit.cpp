// A second translation unit of the same program, where other people's headers have been before: windows.h
// defines min and max, X11 defines common words. Included twice, as headers are.

#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define ERROR 0
#define Status int
#define Bool int
#define None 0L
#define True 1
#define False 0
#define Success 0
#define Always 2
#define interface struct
#define small char

// The standard library's own headers are not made for min and max; ours must be.
#pragma push_macro("min")
#pragma push_macro("max")
#undef min
#undef max
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#pragma pop_macro("min")
#pragma pop_macro("max")

#include "fish_api_credit.hpp"
#include "fish_api_credit.hpp"

std::size_t other_unit();

std::size_t other_unit() { return fish::version().size(); }
