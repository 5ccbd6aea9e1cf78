// LazyParts: what is worked out of a request only when its handler asks, and kept until the exchange ends. Internal to
// server/.
//
//   lazy.query_args.get([&](http::Args& args) { return args.parse(head.query); })   // parses the first time only
//
// Lifetime  forget() keeps the memory of what is asked for again and again, except that of a form's files.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "pipette/base/result.h"
#include "pipette/http/args.h"
#include "pipette/http/form.h"
#include "pipette/http/uri.h"
#include "pipette/server/user_values.h"

namespace pipette::server {

// A value that is made at most once a request, whether that succeeds or not.
template <class T>
class Lazy {
 public:
  // What make(value) made of it when it was first called, or its error; never null.
  template <class Make>
  Result<const T*> get(Make&& make) {
    if (!outcome_) outcome_ = std::forward<Make>(make)(value_);
    if (!*outcome_) return fail(outcome_->error());
    return &value_;
  }

  // It is to be made again, in the same memory.
  void forget() { outcome_.reset(); }
  void forget_and_free() {
    outcome_.reset();
    value_ = T();
  }

 private:
  T value_;
  std::optional<Result<void>> outcome_;
};

struct LazyParts {
  Lazy<http::Uri> uri;
  Lazy<http::Args> query_args;
  Lazy<http::Args> post_args;
  Lazy<http::Form> form;
  std::string credentials;  // user and password, decoded
  UserValues user_values;

  void forget() {
    uri.forget();
    query_args.forget();
    post_args.forget();
    form.forget_and_free();
    credentials.clear();
    user_values.clear();
  }
};

}  // namespace pipette::server
