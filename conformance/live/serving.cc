#include "conformance/live/serving.h"

#include "pipette/lab/lab.h"

#include "conformance/live/talk.h"
#include "conformance/octets.h"

namespace pipette::conformance {
namespace {

// A long input is cut near its ends and every so often in between.
bool is_worth_a_cut(std::size_t place, std::size_t size) {
  constexpr std::size_t kLong = 1024;
  constexpr std::size_t kStep = 509;
  const bool is_near_end = place < kLong / 8 || size - place < kLong / 8;
  return size <= kLong || is_near_end || place % kStep == 0;
}

std::vector<Cut> all_cuts(const Case& one) {
  std::size_t size = 0;
  for (const Turn& turn : one.turns) size += turn.octets.size();
  std::vector<Cut> cuts = {Cut(), Cut(Cut::Kind::everywhere)};
  for (std::size_t place = 1; place < size; ++place) {
    if (is_worth_a_cut(place, size)) cuts.emplace_back(Cut::Kind::once, place);
  }
  return cuts;
}

std::string describe(Cut cut) {
  if (cut.kind == Cut::Kind::nowhere) return "whole";
  if (cut.kind == Cut::Kind::everywhere) return "octet by octet";
  return "cut behind " + std::to_string(cut.place) + " octets";
}

}  // namespace

void serve_for_cases(RequestCtx& ctx) {
  const bool is_known = ctx.method() != http::Method::other;
  const bool is_allowed = ctx.is_get() || ctx.is_head() || ctx.is_post() || ctx.is_options();
  if (!is_known) {
    ctx.error(501, "no such method\n");
  } else if (ctx.target() != "*" && ctx.path() == "/no-such-page") {
    ctx.not_found();
  } else if (!is_allowed) {
    ctx.error(405, "not allowed\n");
    (void)ctx.set_header("Allow", "GET, HEAD, OPTIONS, POST");
  } else {
    ctx.set_body("Hello\n");
  }
}

std::string check_serving(const Case& one) {
  Lab lab;
  lab.serve(serve_for_cases, "app:80", lab::quiet());
  const Result<net::Address> address = net::Address::parse("app:80");
  for (const Cut cut : all_cuts(one)) {
    const Heard heard = lab.run(talk(lab.runtime(), *address, one, cut, Patience()));
    if (heard.complaint.empty()) continue;
    return "delivered " + describe(cut) + ": " + heard.complaint + "\n  " + quote(heard.octets) + ", " +
           heard.how_ended;
  }
  return {};
}

}  // namespace pipette::conformance
