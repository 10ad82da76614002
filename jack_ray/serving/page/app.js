// The page of a served model: asks about a file and shows the answer beside it. Nothing leaves the server's address.
"use strict";

(() => {
  // ---- words -------------------------------------------------------------------------------------------------------

  const WORDS = {
    en: {
      other: "中文", skip: "Skip to the content", forget: "Forget the token", entryTitle: "Enter your token",
      entryWhy: "Whoever serves the model gave you a token. It stays in this tab until you close it.",
      token: "Token", enter: "Enter", askTitle: "Ask about a file", choose: "Choose a file", chooseMore: "Choose files",
      orDrop: "or drop it here", fps: "Frames a second of the video", askNow: "Ask", cancel: "Cancel",
      what: "What", expected: "Expected", remedy: "Remedy", play: "Play", pause: "Pause",
      turn: "Drag or use the arrow keys to turn", course: "Over time", areas: "Areas", lines: "Lines",
      asTable: "As a table", segments: "Segments", joints: "What each joint adds to the answer (green) or takes from it (purple)", download: "Download the answer (JSON)",
      kinds: (kinds, mb) => `${kinds} · up to ${mb}`,
      features: "features: rgb and mel as .npy · optionally fps_dict.json, and the video, which is only played here",
      have: (rgb, mel) => `rgb: ${rgb || "missing"} · mel: ${mel || "missing"}`,
      uploading: (done, all) => `Uploading: ${done} of ${all}`, computing: (s) => `The model computes … ${s} s`,
      model: (m) => [m.method, m.version && `version ${m.version}`, m.alias && `@${m.alias}`, m.trial].filter(Boolean).join(" · "),
      provenance: (a) => `${a.model} · version ${a.version}`, answered: (l, p) => `The answer: ${l}, ${p}`,
      now: (t) => `The line in each bar: at ${t}`, at: (t, l, p) => `${t}: ${l}, ${p}`,
      windows: (s) => `Each step is a part of about ${s} s that was answered for by itself.`,
      snippets: "Each step is a snippet of 16 frames. What the classes leave free is background.",
      one: "Too short for a course: the file is one part.", assumed: "The file tells no rate: time counts 30 frames a second.",
      attention: "Attention", key: "Key segments", found: "Segments by class", stageVideo: "The video", stageWalk: "The gait",
      unplayable: "The browser cannot play this kind of file. The timeline works without.",
      time: "Time", chartName: "Time in the video", walkName: "A walking skeleton. Joints that add more are larger.",
      more: (n) => `The table has every ${n}th part; the downloaded answer has all.`, background: "background",
      ready: "The model is ready. Choose a file.", loading: "The model is being loaded. Choose a file in a moment.", stopped: "Cancelled.", retry: (s) => `Try again in ${s} s.`,
      tooLarge: (size) => `a file of ${size}`, atMost: (size) => `at most ${size}`, cut: "Cut it into parts, or reduce it.",
      wrongKind: (name) => `${name}, which this model does not take`, away: "the server cannot be reached",
      awayWhy: "a server that is running and a network that leads to it", awayDo: "Look whether it runs, then try again.",
      noToken: "this is no token", tokenLetters: "letters without accents, digits and marks, in one piece", noSense: "an answer that is not understood", json: "JSON", notMine: "Ask whoever serves the model.",
      twoFiles: "two arrays of different width: rgb (1024 columns) and mel (60)", chooseBoth: "Choose both files at once.",
      title: { 0: "No connection", 400: "Not understood", 401: "Another token is needed", 404: "Not there", 408: "The upload was too slow",
        413: "Too large", 415: "Another kind of file is needed", 422: "The file cannot be read", 429: "Many are waiting", 503: "Not ready", other: "No answer" },
    },
    zh: {
      other: "English", skip: "跳到正文", forget: "忘记令牌", entryTitle: "输入令牌",
      entryWhy: "令牌由模型的提供者给您。它只保存在这个标签页里，关闭后即消失。",
      token: "令牌", enter: "进入", askTitle: "询问一个文件", choose: "选择文件", chooseMore: "选择文件",
      orDrop: "或拖放到这里", fps: "视频每秒帧数", askNow: "询问", cancel: "取消",
      what: "问题", expected: "应为", remedy: "办法", play: "播放", pause: "暂停",
      turn: "拖动或用方向键旋转", course: "随时间变化", areas: "面积图", lines: "曲线",
      asTable: "以表格显示", segments: "片段", joints: "各关节的贡献：支持（绿）或反对（紫）", download: "下载结果 (JSON)",
      kinds: (kinds, mb) => `${kinds} · 最大 ${mb}`,
      features: "特征：rgb 与 mel 的 .npy 文件 · 可附 fps_dict.json，以及只在本页播放的视频",
      have: (rgb, mel) => `rgb：${rgb || "缺少"} · mel：${mel || "缺少"}`,
      uploading: (done, all) => `正在上传：${done} / ${all}`, computing: (s) => `模型正在计算 … ${s} 秒`,
      model: (m) => [m.method, m.version && `版本 ${m.version}`, m.alias && `@${m.alias}`, m.trial].filter(Boolean).join(" · "),
      provenance: (a) => `${a.model} · 版本 ${a.version}`, answered: (l, p) => `结果：${l}，${p}`,
      now: (t) => `条中的竖线：${t} 时的值`, at: (t, l, p) => `${t}：${l}，${p}`,
      windows: (s) => `每一级是约 ${s} 秒的一段，单独得出结果。`,
      snippets: "每一级是一个 16 帧的 snippet。各类未占的部分是背景。",
      one: "文件很短，只有一段。", assumed: "文件没有帧率：按每秒 30 帧计时。",
      attention: "注意力", key: "关键片段", found: "各类片段", stageVideo: "视频", stageWalk: "步态",
      unplayable: "浏览器不能播放这种文件，但时间轴仍可使用。",
      time: "时间", chartName: "视频中的时间", walkName: "行走的骨架。贡献大的关节更大。",
      more: (n) => `表中每 ${n} 段取一段；下载的结果包含全部。`, background: "背景",
      ready: "模型已就绪，请选择文件。", loading: "模型正在加载，请稍后选择文件。", stopped: "已取消。", retry: (s) => `请在 ${s} 秒后重试。`,
      tooLarge: (size) => `文件大小为 ${size}`, atMost: (size) => `最大 ${size}`, cut: "请切分或压缩文件。",
      wrongKind: (name) => `${name}：此模型不接受这种文件`, away: "无法连接服务器",
      awayWhy: "正在运行且可以访问的服务器", awayDo: "请检查服务器是否运行，然后重试。",
      noToken: "这不是令牌", tokenLetters: "一串连续的英文字母、数字和符号", noSense: "无法理解的回答", json: "JSON", notMine: "请询问模型的提供者。",
      twoFiles: "两个宽度不同的数组：rgb（1024 列）与 mel（60 列）", chooseBoth: "请同时选择两个文件。",
      title: { 0: "没有连接", 400: "无法理解请求", 401: "需要另一个令牌", 404: "不存在", 408: "上传太慢",
        413: "文件太大", 415: "需要另一种文件", 422: "文件无法读取", 429: "等待者太多", 503: "尚未就绪", other: "没有结果" },
    },
  };
  const LABELS = {
    en: { n: "negative", p: "positive" },  // a joint's name is made of parts: left_hand
    zh: { n: "消极", p: "积极", anger: "愤怒", angry: "愤怒", anticipation: "期待", disgust: "厌恶", fear: "恐惧", joy: "喜悦", happy: "高兴",
      sadness: "悲伤", sad: "悲伤", surprise: "惊讶", trust: "信任", neutral: "中性", key: "关键", root: "根部", spine: "脊柱", neck: "颈", head: "头",
      left: "左", right: "右", shoulder: "肩", elbow: "肘", hand: "手", hip: "髋", knee: "膝", foot: "脚" },
  };
  const ASSUMED_HZ = 30, TABLE_ROWS = 300, SHOWN_SEGMENTS = 24, MANY_STEPS = 100, NAMES = "http://www.w3.org/2000/svg";

  // ---- what is known -----------------------------------------------------------------------------------------------

  const state = {
    language: sessionStorage.getItem("language") || (navigator.language.startsWith("zh") ? "zh" : "en"),
    token: sessionStorage.getItem("token") || "", model: null, answer: null, error: null, request: null,
    features: {}, url: "", now: 0, lines: false, walk: null, watch: 0,
  };
  const $ = (id) => document.getElementById(id);
  const say = (key, ...rest) => { const found = WORDS[state.language][key]; return typeof found === "function" ? found(...rest) : found; };
  const named = (label) => LABELS[state.language][String(label).toLowerCase()] || label;
  const jointed = (joint) => joint.split("_").map(named).join(state.language === "zh" ? "" : " ");
  const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
  const size = (bytes) => bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`;
  const clock = (seconds) => {
    const whole = Math.floor(seconds + 1e-6), pad = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    return hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
  };
  const make = (tag, about = {}, ...inside) => {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(about)) key === "class" ? made.className = value : made.setAttribute(key, value);
    made.append(...inside);
    return made;
  };
  const draw = (tag, about) => {
    const made = document.createElementNS(NAMES, tag);
    for (const [key, value] of Object.entries(about)) made.setAttribute(key, value);
    return made;
  };

  // ---- errors ------------------------------------------------------------------------------------------------------

  function fail(status, what, expected, remedy, retry) {
    state.error = { status, what, expected, remedy, retry };
    showError();
    $("error").scrollIntoView({ block: "nearest" });
  }

  function showError() {
    const error = state.error;
    $("error").hidden = !error;
    if (!error) return;
    const titles = WORDS[state.language].title, told = (value) => typeof value === "function" ? value() : value || "–";
    $("error-title").textContent = titles[error.status] || titles.other;
    $("error-what").textContent = told(error.what);
    $("error-expected").textContent = told(error.expected);
    $("error-remedy").textContent = [error.remedy && told(error.remedy), error.retry && say("retry", error.retry)].filter(Boolean).join(" ") || "–";
  }

  function failed(request) {
    if (request.status === 0) return fail(0, () => say("away"), () => say("awayWhy"), () => say("awayDo"));
    const told = parsed(request.responseText), error = told && told.error;
    if (request.status === 401) {
      const isFirst = !state.token;
      setToken("");
      showEntry();
      if (isFirst) return undefined;
    }
    const retry = request.getResponseHeader("Retry-After");
    if (!error) return fail(request.status, () => say("noSense"), () => say("json"), () => say("notMine"), retry);
    return fail(request.status, error.what, error.expected, error.remedy, retry);
  }

  const parsed = (text) => { try { return JSON.parse(text); } catch { return null; } };

  // ---- the token and the model -------------------------------------------------------------------------------------

  function setToken(token) {
    state.token = token;
    token ? sessionStorage.setItem("token", token) : sessionStorage.removeItem("token");
    $("forget").hidden = !token;
  }

  function showEntry() {
    $("entry").hidden = false;
    $("ask").hidden = true;
    $("token").value = "";
    $("token").focus();
  }

  function tryToken(token) {
    if (!/^[\x21-\x7e]+$/.test(token)) { showEntry(); fail(401, () => say("noToken"), () => say("tokenLetters"), () => say("notMine")); return; }
    setToken(token);
    enter();
  }

  function ask(method, address, body, done, progress) {
    const request = new XMLHttpRequest();
    request.open(method, address);
    if (state.token) request.setRequestHeader("Authorization", `Bearer ${state.token}`);
    if (progress) request.upload.addEventListener("progress", progress);
    request.addEventListener("loadend", () => done(request));
    request.send(body);
    return request;
  }

  function enter() {
    ask("GET", "/v1/model", null, (request) => {
      if (request.status !== 200) return failed(request);
      state.model = parsed(request.responseText);
      state.error = null;
      $("entry").hidden = true;
      $("ask").hidden = false;
      render();
      $("file").focus({ preventScroll: true });
      return announce(say(state.model.version ? "ready" : "loading"));
    });
  }

  function refresh() {
    ask("GET", "/v1/model", null, (request) => {
      const model = request.status === 200 ? parsed(request.responseText) : null;
      if (!model) return;
      state.model = model;
      render();
    });
  }

  const announce = (text) => { $("status").textContent = text; };

  // ---- choosing files ----------------------------------------------------------------------------------------------

  const isVideo = (file) => file.type.startsWith("video/") || /\.(mp4|m4v|mov|webm|mkv)$/i.test(file.name);

  function take(files) {
    if (state.request || !files.length || !state.model) return;
    state.error = null;
    showError();
    if (state.model.input === "features") { takeFeatures(files); return; }
    const file = files[0], suffix = (file.name.match(/\.[^.]+$/) || [""])[0].toLowerCase();
    if (!state.model.accepts.includes(suffix) && !(isVideo(file) && state.model.input === "video")) {
      fail(415, () => say("wrongKind", file.name), state.model.accepts.join(", "), "");
    } else if (file.size > state.model.max_mb * 1e6) {
      fail(413, () => say("tooLarge", size(file.size)), () => say("atMost", size(state.model.max_mb * 1e6)), () => say("cut"));
    } else {
      const form = new FormData();
      form.append("file", file, file.name);
      send(form, file.name, isVideo(file) ? file : null);
    }
  }

  async function takeFeatures(files) {
    const arrays = [], known = state.features;
    for (const file of files) {
      if (/\.json$/i.test(file.name)) known.rates = parsed(await file.text());
      else if (isVideo(file)) known.video = file;
      else arrays.push({ file, width: await width(file) });
    }
    for (const { file, width: columns } of arrays) {
      const beside = arrays.find((one) => one.file !== file);
      const isRgb = beside ? columns > beside.width : columns > 512;
      known[isRgb ? "rgb" : "mel"] = file;
    }
    const stem = known.rgb && known.rgb.name.replace(/\.npy$/i, "");
    const rate = known.rates && stem && known.rates[stem];
    if (rate) $("fps").value = rate;
    if (arrays.length > 1 && !(known.rgb && known.mel)) fail(415, () => say("noSense"), () => say("twoFiles"), () => say("chooseBoth"));
    showFeatures();
    if (known.rgb && known.mel && rate) askFeatures();
    else if (known.rgb && known.mel) $("fps").focus();
  }

  async function width(file) {
    const bytes = new Uint8Array(await file.slice(0, 512).arrayBuffer());
    const found = new TextDecoder("latin1").decode(bytes).match(/'shape': \(\d+, ?(\d+)/);
    return found ? Number(found[1]) : 0;
  }

  function showFeatures() {
    const { rgb, mel } = state.features;
    $("features").hidden = !(rgb || mel);
    $("features-have").textContent = say("have", rgb && rgb.name, mel && mel.name);
  }

  function askFeatures() {
    const { rgb, mel, video } = state.features;
    if (!rgb || !mel) { fail(415, () => say("have", rgb && rgb.name, mel && mel.name), () => say("twoFiles"), () => say("chooseBoth")); return; }
    const form = new FormData();
    form.append("fps", $("fps").value);
    form.append("rgb", rgb, rgb.name);
    form.append("mel", mel, mel.name);
    send(form, rgb.name, video || null);
  }

  // ---- sending -----------------------------------------------------------------------------------------------------

  function send(form, name, video) {
    const begun = Date.now();
    let isUp = false;
    $("progress").hidden = false;
    $("features").hidden = true;
    $("result").hidden = true;
    const tick = setInterval(() => { if (isUp) $("doing").textContent = say("computing", Math.round((Date.now() - begun) / 1000)); }, 500);
    const progress = (event) => {
      isUp = event.loaded >= event.total;
      if (isUp) { $("share").removeAttribute("value"); $("doing").textContent = say("computing", 0); return; }
      $("share").value = event.loaded / event.total;
      $("doing").textContent = say("uploading", size(event.loaded), size(event.total));
    };
    state.request = ask("POST", "/v1/predict?timeline=true", form, (request) => {
      clearInterval(tick);
      $("progress").hidden = true;
      const isAborted = state.request === null;
      state.request = null;
      if (isAborted) { showFeatures(); announce(say("stopped")); return; }
      const answer = request.status === 200 ? parsed(request.responseText) : null;
      if (!answer || !answer.probabilities) { failed(request); showFeatures(); return; }
      receive(answer, name, video);
    }, progress);
    $("cancel").focus({ preventScroll: true });
  }

  function receive(answer, name, video) {
    const timeline = answer.timeline || [];
    state.answer = answer;
    state.features = {};
    state.error = null;
    state.now = 0;
    answer.input = answer.input || name;
    answer.seconds = timeline.length ? timeline[timeline.length - 1].end_s : answer.duration_s || 1;
    $("drop").classList.add("small-drop");
    setStage(video);
    render();
    $("result").hidden = false;
    if (state.walk) state.walk.draw();
    const best = ordered(answer.probabilities)[0];
    announce(say("answered", named(best[0]), percent(best[1])));
    if (answer.version !== state.model.version) refresh();
    $("result").scrollIntoView({ block: "start" });
  }

  const ordered = (shares) => Object.entries(shares).sort((one, other) => other[1] - one[1]);
  const colour = (label) => Math.max(0, Object.keys(state.answer.probabilities).indexOf(label)) % 8;

  // ---- the video, or the gait --------------------------------------------------------------------------------------

  function setStage(video) {
    const screen = $("video");
    if (state.walk) state.walk.stop();
    state.walk = null;
    screen.pause();
    screen.removeAttribute("src");
    if (state.url) URL.revokeObjectURL(state.url);
    state.url = "";
    $("unplayable").hidden = true;
    screen.hidden = !video;
    if (video) { state.url = URL.createObjectURL(video); screen.src = state.url; }
    const skeleton = state.answer.skeleton;
    $("walk").hidden = !skeleton;
    $("stage").hidden = !video && !skeleton;
    if (skeleton) state.walk = walker(skeleton, state.answer.joints || {});
  }

  function seek(seconds) {
    state.now = Math.min(Math.max(seconds, 0), state.answer.seconds);
    if (state.url && $("video").readyState) $("video").currentTime = state.now;
    if (state.walk) state.walk.go(state.now);
    showNow();
  }

  function toggle() {
    const screen = $("video");
    if (state.walk) state.walk.toggle();
    else if (state.url) screen.paused ? screen.play().catch(() => {}) : screen.pause();
  }

  function follow() {
    cancelAnimationFrame(state.watch);
    const screen = $("video");
    state.now = screen.currentTime;
    showNow();
    if (!screen.paused && !screen.ended) state.watch = requestAnimationFrame(follow);
  }

  function walker(skeleton, joints) {
    const canvas = $("canvas"), frames = skeleton.frames, names = Object.keys(joints);
    const step = state.answer.seconds / frames.length, signs = Object.values(joints), weights = signs.map(Math.abs);
    const most = Math.max(...weights, 1e-9), flat = frames.flat();
    let low = Infinity, high = -Infinity, reach = 1e-9;
    for (const [x, y, z] of flat) { low = Math.min(low, y); high = Math.max(high, y); reach = Math.max(reach, Math.hypot(x, z)); }
    let yaw = 0.6, frame = 0, begun = 0, handle = 0;

    const side = (joint) => (names[joint] || "").startsWith("right") ? "--s1" : (names[joint] || "").startsWith("left") ? "--s0" : "--s7";
    function show() {
      const wide = canvas.clientWidth, tall = canvas.clientHeight, dense = window.devicePixelRatio || 1;
      if (!wide) return;
      canvas.width = wide * dense; canvas.height = tall * dense;
      const pen = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
      const ink = (name) => style.getPropertyValue(name).trim();
      pen.scale(dense, dense);
      const scale = Math.min((tall - 50) / (high - low || 1), (wide - 40) / (2 * reach));
      const [sin, cos] = [Math.sin(yaw), Math.cos(yaw)], ground = (tall + scale * (high - low)) / 2;
      const places = frames[frame].map(([x, y, z]) => [wide / 2 + scale * (cos * x + sin * z), ground - scale * (y - low)]);
      pen.strokeStyle = ink("--edge"); pen.lineWidth = 2;
      pen.beginPath(); pen.moveTo(16, ground + 8); pen.lineTo(wide - 16, ground + 8); pen.stroke();
      pen.lineCap = "round"; pen.lineWidth = Math.max(4, tall / 60);
      for (const [child, parent] of skeleton.edges) {
        pen.strokeStyle = ink(side(child));
        pen.beginPath(); pen.moveTo(...places[child]); pen.lineTo(...places[parent]); pen.stroke();
      }
      places.forEach((place, joint) => {
        const share = weights[joint] / most || 0;
        pen.beginPath(); pen.arc(...place, 3.5 + 8 * share, 0, 2 * Math.PI);
        pen.fillStyle = ink(signs[joint] < 0 ? "--s3" : "--s2"); pen.fill();
        pen.lineWidth = 2; pen.strokeStyle = ink("--text"); pen.stroke();
      });
    }
    const turn = (angle) => { yaw += angle; show(); };
    function go(seconds) { frame = Math.min(frames.length - 1, Math.floor(seconds / step + 1e-6)); show(); }
    function run(time) {
      state.now = Math.max(0, time - begun) / 1000 % state.answer.seconds;  // a picture's time may lie before the click's
      go(state.now);
      showNow();
      handle = requestAnimationFrame(run);
    }
    function stop() { cancelAnimationFrame(handle); handle = 0; $("play").textContent = say("play"); }
    function start() { begun = performance.now() - 1000 * state.now; handle = requestAnimationFrame(run); $("play").textContent = say("pause"); }
    return { draw: show, go, turn, stop, isRunning: () => handle !== 0, toggle: () => handle ? stop() : start(),
      rewind: (seconds) => { begun = performance.now() - 1000 * seconds; } };
  }

  // ---- the timeline ------------------------------------------------------------------------------------------------

  function path(points) { return points.map(([x, y], place) => `${place ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join(""); }

  function showChart() {
    const answer = state.answer, timeline = answer.timeline || [], labels = Object.keys(answer.probabilities);
    const plot = $("plot"), x = (seconds) => 1000 * seconds / answer.seconds;
    plot.setAttribute("viewBox", "0 0 1000 100");
    plot.replaceChildren();
    plot.classList.toggle("many", timeline.length > MANY_STEPS);
    for (const height of state.lines ? [25, 50, 75] : []) plot.append(draw("path", { d: `M0 ${height}H1000`, class: "grid" }));
    const sums = timeline.map((one) => labels.reduce((sum, label) => sum + one.probabilities[label], 0));
    const top = state.lines ? 1 : Math.max(1, ...sums), below = timeline.map(() => 0);
    for (const label of labels) {
      const upper = [], lower = [];
      timeline.forEach((one, place) => {
        const from = state.lines ? 0 : below[place], to = from + one.probabilities[label];
        below[place] = to;
        for (const seconds of [one.start_s, one.end_s]) {
          upper.push([x(seconds), 100 - 100 * to / top]);
          lower.unshift([x(seconds), 100 - 100 * from / top]);
        }
      });
      if (!upper.length) continue;
      const kind = `f${colour(label)}`;
      plot.append(state.lines ? draw("path", { d: path(upper), class: `curve ${kind}` }) : draw("path", { d: `${path([...upper, ...lower])}Z`, class: `area ${kind}` }));
    }
    showStrips();
    showAxis();
    $("areas").setAttribute("aria-pressed", String(!state.lines));
    $("lines").setAttribute("aria-pressed", String(state.lines));
    $("chart").setAttribute("aria-valuemax", String(answer.seconds));
    $("chart").setAttribute("aria-label", say("chartName"));
    const isSnippets = answer.snippet_s !== undefined;
    const notes = [isSnippets ? say("snippets") : timeline.length > 1 ? say("windows", Math.round(timeline[0].end_s - timeline[0].start_s)) : say("one")];
    if (answer.skeleton && !answer.skeleton.rate) notes.push(say("assumed"));
    $("course-note").textContent = notes.join(" ");
  }

  function strip(name, high) {
    const picture = draw("svg", { viewBox: `0 0 1000 ${high}`, height: high, preserveAspectRatio: "none" });
    $("strips").append(make("div", { class: "strip" }, make("span", { class: "name" }, name), picture));
    return picture;
  }

  function showStrips() {
    const answer = state.answer, seconds = answer.seconds;
    $("strips").replaceChildren();
    if (answer.attention && answer.attention.length) {
      const picture = strip(say("attention"), 26), most = Math.max(...answer.attention, 1e-9), wide = 1000 / answer.attention.length;
      answer.attention.forEach((weight, place) => {
        const tall = 24 * weight / most;
        picture.append(draw("rect", { x: place * wide + 1, width: Math.max(wide - 2, 1), y: 26 - tall, height: tall, class: "f7" }));
      });
    }
    const found = answer.segments || [];
    if (!found.length) return;
    const isKey = answer.attention !== undefined, labels = [...new Set(found.map((one) => one.label))], most = Math.max(...found.map((one) => one.score), 1e-9);
    labels.sort((one, other) => colour(one) - colour(other));
    const picture = strip(say(isKey ? "key" : "found"), 14 * labels.length);
    for (const one of [...found].reverse()) {
      const strength = isKey ? 1 : 0.15 + 0.85 * Math.max(0, one.score / most) ** 2;
      picture.append(draw("rect", { x: 1000 * one.start_s / seconds, width: Math.max(1000 * (one.end_s - one.start_s) / seconds, 1.5),
        y: 14 * labels.indexOf(one.label) + 2, height: 10, "fill-opacity": strength.toFixed(2), class: `f${colour(one.label)}` }));
    }
  }

  function showAxis() {
    const seconds = state.answer.seconds, axis = $("axis"), steps = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
    const step = steps.find((one) => seconds / one <= Math.max(2, Math.min(10, axis.clientWidth / 70 || 8))) || 7200;
    axis.replaceChildren();
    for (let time = 0; time < seconds - 0.7 * step; time += step) axis.append(mark(time));
    axis.append(mark(seconds));

    function mark(time) {
      const made = make("span", {}, seconds < 10 ? `${Number(time.toFixed(1))} s` : clock(time));
      made.style.left = `${100 * time / seconds}%`;
      return made;
    }
  }

  function part(seconds) {
    const timeline = state.answer.timeline || [];
    let low = 0, high = timeline.length - 1;
    while (low < high) { const middle = (low + high) >> 1; timeline[middle].end_s <= seconds ? low = middle + 1 : high = middle; }
    return timeline[low] || null;
  }

  function showNow() {
    const answer = state.answer, one = part(state.now);
    $("head").style.left = `${100 * state.now / answer.seconds}%`;
    $("moment").textContent = one ? say("now", clock(state.now)) : "";
    for (const tick of document.querySelectorAll("#bars .tick")) {
      tick.hidden = !one;
      if (one) tick.style.left = `${Math.min(100, 100 * one.probabilities[tick.dataset.label])}%`;
    }
    $("chart").setAttribute("aria-valuenow", state.now.toFixed(1));
    const best = one && ordered(one.probabilities)[0];
    $("chart").setAttribute("aria-valuetext", best ? say("at", clock(state.now), named(best[0]), percent(best[1])) : clock(state.now));
  }

  function hover(event) {
    const box = $("chart").getBoundingClientRect(), share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const seconds = share * state.answer.seconds, one = part(seconds), tip = $("hover");
    if (!one) return;
    const rows = ordered(one.probabilities).slice(0, 4).map(([label, value]) =>
      make("div", {}, make("i", { class: `b${colour(label)}` }), `${named(label)} ${percent(value)}`));
    tip.replaceChildren(make("strong", {}, clock(seconds)), ...rows);
    tip.hidden = false;
    tip.style.left = share < 0.5 ? `calc(${100 * share}% + 12px)` : "auto";
    tip.style.right = share < 0.5 ? "auto" : `calc(${100 - 100 * share}% + 12px)`;
    if (event.buttons & 1) seek(seconds);
  }

  // ---- the rest of the answer --------------------------------------------------------------------------------------

  function bar(name, share, value, kind, isTop) {
    const fill = make("div", { class: `fill ${kind}` });
    fill.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
    return make("li", isTop ? { class: "top" } : {}, make("span", { class: "key" }, make("span", { class: `dot ${kind}` }), name),
      make("span", { class: "track", "aria-hidden": "true" }, fill), make("span", { class: "value" }, value));
  }

  function showAnswer() {
    const answer = state.answer, shares = ordered(answer.probabilities);
    $("file-name").textContent = `${answer.input.split("/").pop()}${answer.duration_s ? ` · ${clock(answer.duration_s)}` : ""}`;
    $("label").textContent = named(answer.label);
    $("stage-title").textContent = say(state.walk ? "stageWalk" : "stageVideo");
    $("unplayable").textContent = say("unplayable");
    $("canvas").setAttribute("aria-label", say("walkName"));
    $("provenance").textContent = say("provenance", answer);
    $("bars").replaceChildren(...shares.map(([label, value], place) => {
      const made = bar(named(label), value, percent(value), `b${colour(label)}`, place === 0);
      const tick = make("span", { class: "tick", "data-label": label });
      made.querySelector(".track").append(tick);
      return made;
    }));
    showChart();
    showSegments();
    showJoints();
    showTable();
    showNow();
    if (state.walk) $("play").textContent = say(state.walk.isRunning() ? "pause" : "play");
  }

  function showSegments() {
    const found = (state.answer.segments || []).slice(0, SHOWN_SEGMENTS);
    $("parts").hidden = !found.length;
    $("parts-title").textContent = say(state.answer.attention ? "key" : "segments");
    $("segments").replaceChildren(...found.map((one) => {
      const made = make("button", { type: "button" }, make("span", { class: `dot b${colour(one.label)}` }),
        `${clock(one.start_s)} – ${clock(one.end_s)}`, make("span", {}, named(one.label)), make("span", { class: "score" }, one.score.toFixed(2)));
      made.addEventListener("click", () => seek(one.start_s));
      return make("li", {}, made);
    }));
  }

  function showJoints() {
    const joints = Object.entries(state.answer.joints || {}), most = Math.max(...joints.map(([, value]) => Math.abs(value)), 1e-9);
    $("joints").hidden = !joints.length;
    joints.sort((one, other) => Math.abs(other[1]) - Math.abs(one[1]));
    $("joint-bars").replaceChildren(...joints.map(([joint, value]) =>
      bar(jointed(joint), Math.abs(value) / most, value.toFixed(3), value < 0 ? "b3" : "b2", false)));
  }

  function showTable() {
    const timeline = state.answer.timeline || [], labels = Object.keys(state.answer.probabilities);
    const every = Math.ceil(timeline.length / TABLE_ROWS), rows = timeline.filter((_, place) => place % every === 0);
    const cell = (text) => make("td", {}, text), heading = (text) => make("th", { scope: "col" }, text);
    $("table").replaceChildren(
      make("caption", { class: every > 1 ? "small quiet" : "unseen" }, every > 1 ? say("more", every) : say("course")),
      make("thead", {}, make("tr", {}, heading(say("time")), ...labels.map((label) => heading(named(label))))),
      make("tbody", {}, ...rows.map((one) => make("tr", {}, make("th", { scope: "row" }, `${clock(one.start_s)} – ${clock(one.end_s)}`),
        ...labels.map((label) => cell(percent(one.probabilities[label])))))),
    );
  }

  function download() {
    const { seconds, ...answer } = state.answer;
    const url = URL.createObjectURL(new Blob([JSON.stringify(answer, null, 1)], { type: "application/json" }));
    const link = make("a", { href: url, download: `${answer.input.split("/").pop()}.json` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  function render() {
    document.documentElement.lang = state.language === "zh" ? "zh-CN" : "en";
    for (const one of document.querySelectorAll("[data-say]")) one.textContent = say(one.dataset.say);
    $("language").textContent = say("other");
    $("language").lang = state.language === "zh" ? "en" : "zh-CN";
    const model = state.model;
    if (model) {
      document.title = `${model.name} – jack_ray`;
      $("model-name").textContent = model.name;
      $("model-about").textContent = say("model", model);
      const isFeatures = model.input === "features";
      $("file").multiple = isFeatures;
      $("file").accept = isFeatures ? ".npy,.json,video/*" : model.accepts.join(",");
      $("file-label").textContent = say(isFeatures ? "chooseMore" : "choose");
      $("kinds").textContent = isFeatures ? say("features") : say("kinds", model.accepts.join(" "), size(model.max_mb * 1e6));
      if (isFeatures) showFeatures();
    } else $("file-label").textContent = say("choose");
    showError();
    if (state.answer) showAnswer();
  }

  // ---- hands on ----------------------------------------------------------------------------------------------------

  function chartKey(event) {
    const seconds = state.answer.seconds, one = part(state.now), step = Math.max(one ? one.end_s - one.start_s : 1, seconds / 200);
    const ways = { ArrowRight: state.now + step, ArrowUp: state.now + step, ArrowLeft: state.now - step, ArrowDown: state.now - step,
      PageUp: state.now + seconds / 10, PageDown: state.now - seconds / 10, Home: 0, End: seconds };
    if (event.key === " ") toggle();
    else if (event.key in ways) seek(ways[event.key]);
    else return;
    event.preventDefault();
  }

  function canvasKey(event) {
    if (!state.walk) return;
    if (event.key === " ") state.walk.toggle();
    else if (event.key === "ArrowLeft") state.walk.turn(-0.15);
    else if (event.key === "ArrowRight") state.walk.turn(0.15);
    else return;
    event.preventDefault();
  }

  function dropping(event) {
    event.preventDefault();
    $("drop").classList.toggle("over", event.type === "dragover" && !$("ask").hidden);
    if (event.type === "drop") take([...event.dataTransfer.files]);
  }

  function listen() {
    const on = (id, kind, act) => $(id).addEventListener(kind, act);
    on("entry-form", "submit", (event) => { event.preventDefault(); tryToken($("token").value.trim()); });
    on("forget", "click", () => { setToken(""); showEntry(); });
    on("language", "click", () => { state.language = state.language === "zh" ? "en" : "zh"; sessionStorage.setItem("language", state.language); render(); });
    on("file", "change", () => { take([...$("file").files]); $("file").value = ""; });
    on("features", "submit", (event) => { event.preventDefault(); askFeatures(); });
    on("cancel", "click", () => { const request = state.request; state.request = null; if (request) request.abort(); });
    on("areas", "click", () => { state.lines = false; showChart(); });
    on("lines", "click", () => { state.lines = true; showChart(); });
    on("download", "click", download);
    on("play", "click", toggle);
    on("chart", "keydown", chartKey);
    on("chart", "pointerdown", (event) => { const box = $("chart").getBoundingClientRect(); seek(state.answer.seconds * (event.clientX - box.left) / box.width); afterSeek(); });
    on("chart", "pointermove", hover);
    on("chart", "pointerleave", () => { $("hover").hidden = true; });
    on("canvas", "keydown", canvasKey);
    on("canvas", "pointerdown", (event) => $("canvas").setPointerCapture(event.pointerId));
    on("canvas", "pointermove", (event) => { if (event.buttons && state.walk) state.walk.turn(event.movementX / 120); });
    for (const kind of ["play", "seeked", "timeupdate"]) on("video", kind, () => { if (state.url) follow(); });
    on("video", "error", () => { if (state.url) { $("video").hidden = true; $("unplayable").hidden = false; state.url = ""; } });
    for (const kind of ["dragover", "dragleave", "drop"]) document.addEventListener(kind, dropping);
    window.addEventListener("resize", () => { if (state.answer) { showAxis(); if (state.walk) state.walk.draw(); } });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (state.walk) state.walk.draw(); });
  }

  const afterSeek = () => { if (state.walk && state.walk.isRunning()) state.walk.rewind(state.now); };

  listen();
  render();
  setToken(state.token);
  enter();
})();
