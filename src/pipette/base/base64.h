// Base64, strictly: one text an octet string, one octet string a text.
//
//   "f" --> "Zg=="     Base64::standard       alphabet with "+" and "/", padded
//   "f" --> "Zg=="     Base64::url            alphabet with "-" and "_", padded
//   "f" --> "Zg"       Base64::url_unpadded   the same without padding, as in tokens
//
// Refused when decoding: an octet outside the alphabet, white space and line ends included; padding that is missing,
// too much, misplaced or not of the form; bits set where the last octet leaves none.
//
// Spec      RFC 4648 §4, §5, §3.2 (padding), §3.3 (other octets), §3.5 (canonical encoding).
// Errors    Errc::bad_base64; then nothing has been appended, and what `into` holds means nothing.
// Lifetime  the input is not part of the output.   Threads  pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "pipette/base/bytes.h"
#include "pipette/base/result.h"

namespace pipette {

enum class Base64 : std::uint8_t { standard, url, url_unpadded };

// How long the text of `octets` octets is.
constexpr std::size_t base64_size(std::size_t octets, Base64 form = Base64::standard) {
  constexpr std::size_t kDigitsOfRest[] = {0, 2, 3};
  const std::size_t rest = octets % 3;
  const std::size_t last = form == Base64::url_unpadded ? kDigitsOfRest[rest] : (rest == 0 ? 0 : 4);
  return octets / 3 * 4 + last;
}

// No text of `characters` characters holds more octets.
constexpr std::size_t max_base64_octets(std::size_t characters) { return characters / 4 * 3 + characters % 4 * 3 / 4; }

// Into room for base64_size(octets.size(), form) at least. Returns how much was written.
std::size_t encode_base64(Bytes octets, MutableBytes into, Base64 form = Base64::standard);
// Into room for max_base64_octets(text.size()) at least. Returns how much was written.
Result<std::size_t> decode_base64(std::string_view text, MutableBytes into, Base64 form = Base64::standard);

// The same, behind what `out` holds.
void append_base64(Bytes octets, std::string& out, Base64 form = Base64::standard);
Result<void> append_base64_decoded(std::string_view text, std::string& out, Base64 form = Base64::standard);

}  // namespace pipette
