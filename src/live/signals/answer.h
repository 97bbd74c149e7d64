// What Prometheus' HTTP API answered, as values. Pure: a reply in, an answer or an error text out
// (reference keda_hpa.md 2.1). Replies are other people's: nothing in them is taken on trust.
#pragma once

#include <string>

#include "cluster/observations.h"
#include "net/http_client.h"

namespace windlass::live::signals {

// An instant query's reply: one value an element of the vector, in the reply's order. As KEDA reads
// them: an element whose value list is empty stands for "nothing", here NaN, which
// scaling::read_prometheus takes so; a null is -1; infinities and NaN are given as they are.
//
// An error: no reply, a status other than 2xx, a body that is no JSON (204 has none), status
// "error", a scalar, string or matrix, a value that is no number in quotes. Error texts hold the
// start of what the server said, on one line.
cluster::QueryAnswer read_query_reply(const net::HttpReply& reply);

// Why a reply is none that can be used ("503: upstream down"), or empty. Prometheus' own error text
// is found in a JSON body; of any other the start is shown.
std::string reply_fault(const net::HttpReply& reply);

}  // namespace windlass::live::signals
