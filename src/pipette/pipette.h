// The everyday types, in one include: handlers, servers, clients and the runtime they are given.
//
// Serving over TCP is pipette/app/serve.h; tests are written with pipette/lab/lab.h.
#pragma once

#include "pipette/async/sleep.h"
#include "pipette/async/task.h"
#include "pipette/base/result.h"
#include "pipette/client/client.h"
#include "pipette/net/runtime.h"
#include "pipette/server/request_ctx.h"
#include "pipette/server/server.h"
