// Result<T>: a value, or the std::error_code that says why there is none.
//
//   Result<std::size_t> n = connection.try_read(room);
//   if (!n) return fail(n.error());
//
// Errors are the peer's or the network's doing and are handled on the next line. Bugs are asserts; a
// program that cannot start throws, and only in app/.
#pragma once

#include <expected>
#include <system_error>

#include "pipette/base/errc.h"

namespace pipette {

template <class T>
using Result = std::expected<T, std::error_code>;

inline std::unexpected<std::error_code> fail(std::error_code error) { return std::unexpected(error); }
inline std::unexpected<std::error_code> fail(Errc error) { return std::unexpected(make_error_code(error)); }

}  // namespace pipette
