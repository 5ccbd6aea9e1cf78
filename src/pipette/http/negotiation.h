// Chooses, among what a server has, what a client likes best.
//
//   Accept-Encoding: gzip;q=0.8, br, *;q=0     offers zstd, gzip, identity  -->  1
//   Accept: text/*;q=0.5, application/json     offers text/html, application/json  -->  1
//   Accept-Language: de-CH, en;q=0.5           offers en, de  -->  1
//
// The choice is the index of the offer with the greatest weight, the first of several. Offers are in the order in
// which the server likes them, and nobody's field can make it choose what it does not offer. To answer with
// something even so, as RFC 9110 §12.1 allows: choose_language(…).value_or(0).
//
// Spec      RFC 9110 §8.4.1, §12.4, §12.5; RFC 4647 §3.3.1 and §3.4 for languages.
// Errors    Errc::not_acceptable: every offer is excluded. Errc::bad_field_list: the field is malformed, as far as it
//           had to be read. Errc::bad_media_type: an offer is.
// Units     weights are thousandths; 0 is "not acceptable".   Threads  pure functions, any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "pipette/base/result.h"
#include "pipette/http/fields.h"
#include "pipette/http/media_type.h"

namespace pipette::http {

// ---- Accept-Encoding ---------------------------------------------------------------------------------------

// "identity", for no coding at all, is an offer like the others, and goes last. Where the field does not mention it, it
// is acceptable but liked least; without the field it is liked best, since who says nothing may not decode anything.
Result<std::size_t> choose_coding(const Fields& request, std::span<const std::string_view> offers);
// Of a coding, which is a token. "x-gzip" is "gzip", and "x-compress" "compress". The first mention of a coding counts.
Result<unsigned> coding_weight(const Fields& request, std::string_view coding);

// ---- Accept ------------------------------------------------------------------------------------------------

// The most specific range that matches an offer decides on it: type/subtype with parameters, type/subtype, type/*, */*.
// Without the field, or with an empty one, everything is acceptable.
Result<std::size_t> choose_media_type(const Fields& request, std::span<const std::string_view> offers);
Result<unsigned> media_type_weight(const Fields& request, const MediaType& offer);

// ---- Accept-Language ---------------------------------------------------------------------------------------

// The longest range that is the offer or a prefix of it decides ("en" on "en-GB"); where there is none, the best range
// that the offer is a prefix of ("en-GB" on "en"); then "*".
Result<std::size_t> choose_language(const Fields& request, std::span<const std::string_view> offers);
Result<unsigned> language_weight(const Fields& request, std::string_view tag);

}  // namespace pipette::http
