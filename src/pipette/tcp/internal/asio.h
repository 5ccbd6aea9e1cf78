// The parts of Asio that every source of tcp/ needs, after the standard library.
//
// Asio 1.22 asks the standard library's own macros whether there is std::aligned_alloc. In a source where Asio comes
// first they are not there yet; memory allocated by its inline functions would then be freed in another way by those
// of the other sources. So Asio enters here, and a source that let it in earlier does not compile.
#pragma once

// clang-format off
#include <cstddef>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
// clang-format on

#if !defined(ASIO_HAS_STD_ALIGNED_ALLOC)
#error "include the standard library before Asio"
#endif
