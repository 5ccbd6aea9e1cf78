#include "pipette/inmem/link.h"

#include <algorithm>
#include <optional>

#include "pipette/inmem/text.h"

namespace pipette::inmem {
namespace {

// The smaller one, where nothing is not zero but everything.
template <class T>
std::optional<T> smaller(const std::optional<T>& first, const std::optional<T>& second) {
  if (!first) return second;
  if (!second) return first;
  return std::min(*first, *second);
}

std::uint64_t slower(std::uint64_t first, std::uint64_t second) {
  if (first == 0 || second == 0) return std::max(first, second);
  return std::min(first, second);
}

}  // namespace

net::Toxics combined(const net::Toxics& first, const net::Toxics& second) {
  net::Toxics both = first;
  both.latency += second.latency;
  both.jitter += second.jitter;
  if (second.jitter > first.jitter) both.jitter_shape = second.jitter_shape;
  both.bandwidth = slower(first.bandwidth, second.bandwidth);
  const bool slices = second.slicer.average_size != 0;
  if (slices && (first.slicer.average_size == 0 || second.slicer.average_size < first.slicer.average_size)) {
    both.slicer = second.slicer;
  }
  both.slow_close += second.slow_close;
  both.limit_data = smaller(first.limit_data, second.limit_data);
  // A black hole for ever is the longer one, written as 0.
  if (first.timeout && second.timeout) {
    const bool is_for_ever = first.timeout == Duration{} || second.timeout == Duration{};
    both.timeout = is_for_ever ? std::max(*first.timeout, *second.timeout) : std::min(*first.timeout, *second.timeout);
  } else {
    both.timeout = first.timeout ? first.timeout : second.timeout;
  }
  both.reset_peer = smaller(first.reset_peer, second.reset_peer);
  both.stall = first.stall || second.stall;
  both.down = first.down || second.down;
  return both;
}

std::string describe(const net::Toxics& toxics) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (toxics.latency > Duration{} || toxics.jitter > Duration{}) {
    add("latency " + compact_text(toxics.latency) +
        (toxics.jitter > Duration{} ? " + " + compact_text(toxics.jitter) : ""));
  }
  if (toxics.bandwidth != 0) add("bandwidth " + std::to_string(toxics.bandwidth) + " B/s");
  if (toxics.slicer.average_size != 0) add("slicer " + std::to_string(toxics.slicer.average_size) + " B");
  if (toxics.slow_close > Duration{}) add("slow_close " + compact_text(toxics.slow_close));
  if (toxics.limit_data) add("limit_data " + std::to_string(*toxics.limit_data) + " B");
  if (toxics.timeout) add(*toxics.timeout == Duration{} ? "black hole" : "timeout " + compact_text(*toxics.timeout));
  if (toxics.reset_peer)
    add("reset_peer" + (*toxics.reset_peer == Duration{} ? "" : " " + compact_text(*toxics.reset_peer)));
  if (toxics.stall) add("stall");
  if (toxics.down) add("down");
  return text.empty() ? "nothing" : text;
}

// Turns a layer on or off when its time has come.
struct Link::Switch final : async::Timer {
  Switch(Link& owner, std::uint64_t of, bool to) : link(owner), layer(of), on(to) {}
  void run() override { link.set_on(layer, on); }
  Link& link;
  std::uint64_t layer;
  bool on;
};

Link::Link(Loop& wire_loop, EventLog& log, std::string label)
    : wire_loop_(wire_loop), log_(log), label_(std::move(label)) {}

Link::~Link() = default;

Link::Guard Link::add(const net::Toxics& toxics) {
  return add_layer({.number = 0, .toxics = toxics, .trigger = {}, .refusal = {}});
}

Link::Guard Link::add(const net::Toxics& toxics, Between when) {
  const TimePoint from(when.from);
  const TimePoint until(when.until);
  const TimePoint now = wire_loop_.now();
  Guard guard = add_layer({.number = 0, .toxics = toxics, .trigger = {}, .is_on = from <= now && now < until});
  const auto arm = [&](TimePoint at, bool on) {
    if (at <= now || at == kNever) return;
    switches_.push_back(std::make_unique<Switch>(*this, guard.layer_, on));
    wire_loop_.arm(*switches_.back(), at);
  };
  arm(from, true);
  arm(until, false);
  return guard;
}

Link::Guard Link::add(const net::Toxics& toxics, TriggerFactory trigger) {
  return add_layer({.number = 0, .toxics = toxics, .trigger = std::move(trigger)});
}

Link::Guard Link::refuse(Errc error) { return add_layer({.number = 0, .toxics = {}, .trigger = {}, .refusal = error}); }

void Link::heal() {
  layers_.clear();
  switches_.clear();
  update();
}

Errc Link::refusal() const {
  for (const Layer& layer : layers_) {
    if (layer.refusal != Errc{}) return layer.refusal;
  }
  return Errc{};
}

void Link::join(LinkUser& user) { users_.push_back(user); }

Link::Armed Link::make_trigger() const {
  for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
    if (layer->trigger) return {layer->trigger(), layer->toxics};
  }
  return {};
}

void Link::wait(async::Runnable& waiter) {
  wire_loop_.keep_lane(waiter);
  waiters_.push_back(waiter);
}

Link::Guard Link::add_layer(Layer layer) {
  layer.number = next_layer_++;
  layers_.push_back(std::move(layer));
  update();
  return {*this, layers_.back().number};
}

void Link::remove(std::uint64_t number) {
  std::erase_if(layers_, [number](const Layer& layer) { return layer.number == number; });
  std::erase_if(switches_, [number](const std::unique_ptr<Switch>& timed) { return timed->layer == number; });
  update();
}

void Link::set_on(std::uint64_t number, bool on) {
  for (Layer& layer : layers_) {
    if (layer.number == number) layer.is_on = on;
  }
  update();
}

// What afflicts the link is what its layers say together; those with a trigger afflict single connections.
void Link::update() {
  net::Toxics sum;
  for (const Layer& layer : layers_) {
    if (layer.is_on && !layer.trigger) sum = combined(sum, layer.toxics);
  }
  while (!waiters_.empty()) wire_loop_.enqueue(waiters_.front());
  if (sum == toxics_) return;
  toxics_ = sum;
  log_.add({.time = wire_loop_.now(), .kind = EventKind::link}, label_ + ": " + describe(toxics_));
  users_.for_each([this](LinkUser& user) { user.set_toxics(toxics_); });
}

}  // namespace pipette::inmem
