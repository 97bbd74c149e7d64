"""The queries promql_peer.py asks both sides: from templates, at random, broken, and outside."""

# Slots are filled at random, each query several times. In templates ⏎ is a line feed, ⇥ a tab.
SLOTS = {
    "gauge": ["vllm:num_requests_waiting", "gpu_busy", 'gpu_busy{namespace="prod"}', "odd", "limit",
              'vllm:num_requests_waiting{pod=~"llm-[0-3]",model!="m1"}', "single", "nothing"],
    "counter": ["http_requests_total", 'http_requests_total{code="500"}', "idle_total",
                "http_requests_total", 'http_requests_total{pod="llm-1"}', "down_total",
                "below_total", 'http_requests_total{pod!~"llm-(0|2)"}', "nothing_total"],
    "range": ["1m", "90s", "2m", "5m", "10m", "3m", "5m", "20m", "37s", "14s", "1h30m", "15s",
              "30s", "500ms", "1d"],
    "offset": ["", "", "", "", " offset 5m", " offset -3m", " offset 1h", " offset 90s"],
    "q": ["0", "0.5", "0.95", "0.99", "1", "-1", "2", "NaN", "0.333"],
    "by": ["by (pod)", "by (namespace, model)", "without (pod)", "by ()", "without ()", "",
           "by (missing)", "by (pod, namespace)", "by (__name__)", "without (__name__)",
           "by (pod, pod,)", "by (kind)"],
    "agg": ["sum", "avg", "min", "max", "count"],
    "over": ["avg", "min", "max", "sum", "count", "stddev", "stdvar", "last", "present"],
    "growth": ["rate", "increase", "delta", "irate"],
    "arith": ["+", "-", "*", "/", "%", "^"],
    "cmp": ["==", "!=", "<", "<=", ">", ">="],
    "match": ["", "", "on(pod) ", "on(pod) ", "ignoring(code) ", "on() ",
              "ignoring(namespace, model, code) ",
              "on(__name__) ", "ignoring(__name__) ", "on(pod, code) ", "on(model) "],
    "set": ["and", "or", "unless"],
    "n": ["0", "1", "2.5", "-3", "1e3", "0x1F", "017", "08", ".5", "1.", "Inf", "NaN", "-inf"],
    "unary": ["abs", "ceil", "floor", "round", "absent", "vector(1) * scalar", "-", "+"],
    "any": ["gpu_busy", "gpu_busy * 64", "limit - 5", "gpu_busy",
            "rate(http_requests_total[5m])", "odd", "limit", "nothing", "quota",
            "sum by (pod) (http_requests_total)", "count(limit)", '{__name__=~"twin_."}',
            "vllm:num_requests_waiting"],
}

TEMPLATES = r"""
<gauge><offset>
<counter><offset>
<growth>(<counter>[<range>]<offset>)
<growth>(<gauge>[<range>]<offset>)
<growth>((<counter>[<range>]))
<over>_over_time(<gauge>[<range>]<offset>)
<over>_over_time(<counter>[<range>]<offset>)
<over>_over_time(odd[<range>])
quantile_over_time(<q>, <gauge>[<range>]<offset>)
quantile_over_time(<q>, odd[<range>])
<agg> <by> (<gauge>)
<agg>(<gauge>) <by>
<agg> <by> (<growth>(<counter>[<range>]))
<agg>(odd)
<agg> <by> (odd)
<agg>(<agg> <by> (<counter>))
quantile <by> (<q>, <gauge>)
quantile(<q>, odd) <by>
<agg> <by> ({__name__=~"twin_.|limit"})
histogram_quantile(<q>, latency_seconds_bucket)
histogram_quantile(<q>, rate(latency_seconds_bucket[<range>]))
histogram_quantile(<q>, sum by (le) (rate(latency_seconds_bucket[<range>])))
histogram_quantile(<q>, sum by (le, pod) (increase(latency_seconds_bucket[<range>]<offset>)))
histogram_quantile(<q>, odd_bucket)
histogram_quantile(<q>, {__name__=~"twin_._bucket"})
histogram_quantile(<q>, <any>)
histogram_quantile(scalar(sum(quota)) / 20, latency_seconds_bucket)
<any> <arith> <n>
<n> <arith> <any>
<any> <cmp> <n>
<n> <cmp> <any>
<any> <cmp> bool <n>
<n> <cmp> bool <any>
<n> <arith> <n>
<n> <cmp> bool <n>
<n> <arith> <n> <arith> <n> <arith> <n>
<n> <arith> -<n> <arith> <n>
-<n> <arith> <n>
-<any> <arith> <n> <arith> <any>
<any> <arith> <match><any>
<any> <cmp> <match><any>
<any> <cmp> bool <match><any>
<any> <set> <match><any>
<any> <set> <any> <set> <any>
(<any> <set> <any>) <arith> <n>
-(<any> <set> <match><any>)
<gauge> <arith> <match><gauge>
<counter> <arith> <match><counter>
<counter> <arith> ignoring(code) <counter>
<counter> <cmp> on(pod, code) <counter>
<agg> <by> (<any>) <arith> <match><agg> <by> (<any>)
sum(rate(http_requests_total{code="500"}[<range>])) / sum(rate(http_requests_total[<range>]))
http_requests_total{code="500"} <arith> ignoring(code) http_requests_total{code="200"}
http_requests_total{code="500"} <cmp> ignoring(code) http_requests_total{code="200"}
http_requests_total{code="500"} <cmp> on(pod) http_requests_total{code="200"}
limit <cmp> on(pod) gpu_busy
<unary>(<gauge>)
<unary>(<any>)
-<any>
+<any>
<unary>(rate(<counter>[<range>]))
round(<any>, <n>)
round(<gauge> * 3, 0.1)
clamp(<any>, <n>, <n>)
clamp_min(<any>, <n>)
clamp_max(<any>, <n>)
absent(nothing{a="b",c=~"d",e="f",e="g",h!="i",j=""})
absent({__name__="nothing", a="b"})
absent(((nothing{a="b"})))
absent(nothing{a="b"} offset 5m)
absent(sum(nothing{a="b"}))
absent(<any>)
scalar(<any>)
scalar(sum(<any>)) <arith> <n>
vector(<n>)
vector(time()) - <n>
time() <arith> <n>
scalar(limit{pod="llm-1"}) <arith> gpu_busy
edge
edge offset 1ms
edge offset -1ms
count_over_time(edge[5m])
count_over_time(edge[300001ms])
count_over_time(gpu_busy[30s])
count_over_time(gpu_busy[29999ms])
{__name__=~"twin_.", x="1"}
{__name__=~"twin_.", x="1"} <arith> <n>
-{__name__=~"twin_."}
rate({__name__=~"twin_."}[5m])
last_over_time({__name__=~"twin_."}[5m])
{__name__=~"twin_."} <cmp> <n>
{__name__=~"twin_."} <cmp> bool <n>
abs({__name__=~"twin_."})
{__name__="limit", pod=~"llm-.", pod!="llm-2"}
{__name__="limit", __name__=~"l.*", __name__!~"x.*"}
{__name__="limit", __name__="quota"}
{pod="llm-1", __name__!~"http.*|vllm.*"}
words{say="a \"quoted\" \u00e9\nline"}
words{say='a "quoted" \303\251\x0aline', path="C:\\x"}
words{path=`C:\x`}
words{path=~`C:\\x`}
words{say=~"a.*"}
words{say=~"(?s)a.*"}
words{say=~"a"}
limit{pod=~"LLM-1"}
limit{pod=~"(?i)LLM-1"}
limit{pod=~"llm-1|llm-2"}
limit{pod=~""}
limit{pod!=""}
limit{missing=""}
limit{missing!~".+"}
limit{missing=~".*", pod=~"llm-[^0]",}
SUM(limit) + Sum by (pod) (limit)
sum(limit) # a comment
# leading⏎  limit # trailing⏎  > 11
limit{ # inside⏎ pod="llm-1" # and here⏎}
sum⇥by⏎( pod )(limit)
sum
by + offset
rate(limit [ 5m ])
(limit)
((1))
2 ^ 3 ^ 2
-2 ^ 2
2 ^ -1 * 3
- - 2
1 - -1
-limit ^ 2
1 + 2 * 3 ^ 2 % 4 - 5 / 2
1 == bool 1 != bool 2
limit > 10 < 13
limit > bool 10 == bool 1
limit and limit > 11 or limit < 11
limit or quota unless limit
limit unless quota or limit
1 + on() 2
limit + on() 1
10 % 3.5
-10 % 3
1 / 0
0 / 0
-1 / 0
0x10 + 010 + 09 + 1e2 + .5e1
0xAbC
infinity
iNf + 1
avg(limit offset 5m) + avg(limit)
max_over_time(limit[1h30m5s10ms])
limit offset 1h1m1s1ms
count without (pod) (limit) + on() count(quota)
sum by (le) (latency_seconds_bucket)
sum(increase(http_requests_total[1d]))
"""

# Both sides must refuse these.
BROKEN = r"""
limit{
limit}
limit{pod}
limit{pod=}
limit{pod="a}
limit{pod='a⏎'}
limit{"pod"="a"}
limit{pod="a" namespace="b"}
limit{,}
limit{pod="a",,}
limit{pod=a}
limit{pod=~"("}
limit{pod=~"a**"}
limit{pod=~"[z-a]"}
limit{pod="\q"}
limit{pod="\'"}
limit{pod='\"'}
limit{pod="\x4"}
limit{pod="\400"}
limit{pod="\ud800"}
limit{pod="\U00110000"}
limit{__name__="limit"}
limit{__name__=~".*"}
limit{a:b="c"}
{}
{pod=""}
{pod=~".*"}
{pod=~"x*", a!="b"}
{pod!="x"}
limit limit
limit 5
5 limit
1 +
+
* 2
()
(limit
limit)
limit[5m
limit[5]
limit[m]
limit[5x]
limit[]
limit[0s]
limit[5m3h]
limit[5m5m]
limit[1.5m]
limit[-5m]
limit[5m] + 1
-limit[5m]
(limit[5m]) > 1
sum(limit[5m])
(limit)[5m]
limit[5m][5m]
limit offset
limit offset 5
limit offset 0s
limit offset 5m offset 5m
limit offset 5m [5m]
(limit) offset 5m
sum(limit) offset 5m
1 offset 5m
rate(limit)
rate(limit[5m], 1)
rate()
rate(5)
rate limit
rate(limit[5m],)
nosuch(limit)
RATE(limit[5m])
abs(1)
abs(limit, limit)
round(limit, limit)
round()
round(limit, 1, 2)
clamp(limit, 1)
clamp(1, limit, 2)
time(1)
vector(limit)
scalar(1)
absent(limit[5m])
histogram_quantile(limit, limit)
histogram_quantile(0.5)
quantile(limit)
quantile(limit, 0.5)
quantile_over_time(limit[5m], 0.5)
sum(1)
sum()
sum(limit, limit)
sum by pod (limit)
sum by (pod) by (pod) (limit)
sum(limit) by (pod) by (pod)
sum by (pod) (limit) by (pod)
sum by ("pod") (limit)
sum by (,) (limit)
sum by (pod,,) (limit)
sum by (a:b) (limit)
sum by (1) (limit)
1 > 2
1 == 1 + 1
1 and limit
limit or 1
limit and bool limit
limit + bool limit
limit + on(pod) 1
1 + ignoring(pod) 1
limit > on(pod) bool limit
limit on(pod) limit
limit + on limit
limit = 1
limit =~ 1
limit ! 1
limit !~ 1
limit & 1
limit ; 1
limit $ 1
1e
0x
0xg
1_000
1..2
1.2.3
1e400
5m
bool
on
ignoring + 1
group_left
limit == bool
§
"unclosed
limit{pod="a\"}
`unclosed
limit{pod=`a}
"""

# Prometheus takes these, ours must refuse them and say the given word.
OUTSIDE = [
    ("topk(1, limit)", "topk"),
    ("bottomk by (pod) (1, limit)", "bottomk"),
    ("stddev(limit)", "stddev"),
    ('count_values("v", limit)', "count_values"),
    ("group by (pod) (limit)", "group"),
    ("deriv(limit[5m])", "deriv"),
    ("resets(limit[5m])", "resets"),
    ("changes(limit[5m])", "changes"),
    ("predict_linear(limit[5m], 60)", "predict_linear"),
    ("holt_winters(limit[5m], 0.5, 0.5)", "holt_winters"),
    ("absent_over_time(limit[5m])", "absent_over_time"),
    ('label_replace(limit, "a", "$1", "pod", "(.*)")', "label_replace"),
    ('label_join(limit, "a", ",", "pod")', "label_join"),
    ("sort(limit)", "sort"),
    ("sqrt(limit)", "sqrt"),
    ("hour()", "hour"),
    ("limit @ 1700000000", "@"),
    ("limit @ end()", "@"),
    ("rate(limit[5m] @ start())", "@"),
    ("max_over_time(limit[5m:1m])", "subqueries"),
    ("max_over_time(limit[5m:])", "subqueries"),
    ("max_over_time(rate(limit[5m])[30m:1m])", "subqueries"),
    ("max_over_time((limit + 1)[30m:1m])", "subqueries"),
    ("limit * on(pod) group_left(model) gpu_busy", "group_left"),
    ("limit * on(pod) group_right gpu_busy", "group_right"),
    ("limit atan2 limit", "atan2"),
    ("limit[5m]", "range vector"),
    ('"text"', '"text"'),
]


def fill(template, rng):
    out = template.replace("⏎", "\n").replace("⇥", "\t")
    while "<" in out:
        start = out.find("<")
        end = out.find(">", start)
        slot = out[start + 1:end] if end > 0 else ""
        if slot not in SLOTS:  # a comparison
            out = out[:start] + "\0" + out[start + 1:]
            continue
        filled = rng.choice(SLOTS[slot]).replace("<", "\0")
        out = out[:start] + filled + out[end + 1:]
    return out.replace("\0", "<")


def random_query(rng, depth, scalar=False):
    """A well-typed expression of the subset, by descent."""
    def sub(as_scalar=False):
        return random_query(rng, depth - 1, as_scalar)

    def pick(slot):
        return rng.choice(SLOTS[slot])

    if scalar:
        if depth <= 0:
            return rng.choice([pick("n"), "time()", pick("n")])
        return rng.choice([
            lambda: f"scalar({sub()})",
            lambda: f"({sub(True)} {pick('arith')} {sub(True)})",
            lambda: f"{sub(True)} {pick('cmp')} bool {sub(True)}",
            lambda: f"-{sub(True)}",
        ])()
    if depth <= 0:
        return rng.choice([
            lambda: fill("<gauge><offset>", rng),
            lambda: fill("<growth>(<counter>[<range>]<offset>)", rng),
            lambda: fill("<over>_over_time(<gauge>[<range>]<offset>)", rng),
            lambda: pick("any"),
        ])()
    return rng.choice([
        lambda: f"{pick('agg')} {pick('by')} ({sub()})",
        lambda: f"quantile {pick('by')} ({sub(True)}, {sub()})",
        lambda: f"{sub()} {pick('arith')} {sub(True)}",
        lambda: f"{sub(True)} {pick('arith')} {sub()}",
        lambda: f"{sub()} {pick('cmp')} {sub(True)}",
        lambda: f"({sub()}) {pick('arith')} {pick('match')}{sub()}",
        lambda: f"({sub()}) {pick('cmp')} {pick('match')}({sub()})",
        lambda: f"({sub()}) {pick('set')} {pick('match')}({sub()})",
        lambda: f"{rng.choice(['abs', 'ceil', 'floor', 'round', 'absent'])}({sub()})",
        lambda: f"clamp({sub()}, {sub(True)}, {sub(True)})",
        lambda: f"histogram_quantile({sub(True)}, {sub()})",
        lambda: f"vector({sub(True)})",
        lambda: f"-({sub()})",
    ])()


def all_queries(rng, count_random):
    """Pairs of query and the word ours must refuse it with (or None)."""
    queries = []
    for template in TEMPLATES.strip("\n").split("\n"):
        filled = {fill(template, rng) for _ in range(12 if "<" in template else 1)}
        queries += [(query, None) for query in sorted(filled)]
    for query in BROKEN.strip("\n").split("\n"):
        queries.append((query.replace("⏎", "\n"), None))
    queries += OUTSIDE
    queries += [(random_query(rng, rng.randrange(1, 4)), None) for _ in range(count_random)]
    return queries
