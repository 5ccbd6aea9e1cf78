// What a server calls for each request: anything that takes a RequestCtx&, plain or coroutine.
//
//   void hello(RequestCtx& ctx) { ctx.set_body("Hello"); }
//   Task<> slow(RequestCtx& ctx) { co_await …; ctx.set_body("Hello"); }
//
// A handler may throw: the client gets a 500, the log a line, and nobody else notices. A capturing lambda may be a
// coroutine here, since the server keeps the callable alive until its last exchange.
//
// Threads  called on the loop of the connection; with several workers, from several threads at once.
#pragma once

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>
#include <variant>

#include "pipette/async/task.h"
#include "pipette/server/request_ctx.h"

namespace pipette::server {

// Anything else, a Task<int> or a Result, would be dropped unseen.
template <class F>
concept ReturnsVoidOrTask = std::invocable<const std::decay_t<F>&, RequestCtx&> &&
                            (std::is_void_v<std::invoke_result_t<const std::decay_t<F>&, RequestCtx&>> ||
                             std::same_as<std::invoke_result_t<const std::decay_t<F>&, RequestCtx&>, Task<>>);

class Handler {
 public:
  using Plain = std::move_only_function<void(RequestCtx&) const>;
  using Coroutine = std::move_only_function<Task<>(RequestCtx&) const>;

  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, Handler>) && ReturnsVoidOrTask<F>
  Handler(F&& function)  // NOLINT(google-explicit-constructor): a handler is any callable
      : function_(wrap(std::forward<F>(function))) {}

  const Plain* plain() const { return std::get_if<Plain>(&function_); }
  const Coroutine* coroutine() const { return std::get_if<Coroutine>(&function_); }

 private:
  template <class F>
  static std::variant<Plain, Coroutine> wrap(F&& function) {
    if constexpr (std::same_as<std::invoke_result_t<const std::decay_t<F>&, RequestCtx&>, Task<>>) {
      return Coroutine(std::forward<F>(function));
    } else {
      return Plain(std::forward<F>(function));
    }
  }

  std::variant<Plain, Coroutine> function_;
};

}  // namespace pipette::server

namespace pipette {
using server::Handler;
}  // namespace pipette
