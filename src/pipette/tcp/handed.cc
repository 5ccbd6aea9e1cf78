#include "pipette/tcp/handed.h"

#include <memory>
#include <utility>

#include "pipette/tcp/internal/connection.h"
#include "pipette/tcp/internal/listener.h"
#include "pipette/tcp/internal/loop.h"
#include "pipette/tcp/runtime.h"

namespace pipette::tcp {

Result<Handed> accept_to_hand(net::Listener& listener) { return static_cast<Listener&>(listener).accept_to_hand(); }

Result<net::Connected> take(Runtime& runtime, Handed handed) {
  auto& loop = static_cast<Loop&>(runtime.loop());
  Result<std::unique_ptr<Connection>> connection = Connection::adopt(loop, handed.descriptor.release());
  if (!connection) return fail(connection.error());
  return net::Connected{std::move(*connection), std::move(handed.local), std::move(handed.remote)};
}

}  // namespace pipette::tcp
