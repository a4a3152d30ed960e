"""The tables of docs/accuracy.md."""


def number(value, digits=4):
    return "–" if value is None else f"{value:.{digits}f}"


def table(head, rows):
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def below(value, other):
    """By how many per cent a value is below another."""
    return "–" if value is None or not other else f"{(1 - value / other) * 100:.1f} %"


def by_scene(models):
    names = list(models)
    first = models[names[0]]
    others = {f"`{name}`": models[name]["figures"] for name in names[1:]}
    if "without_radar" in first:
        others[f"`{names[0]}` without radar"] = first["without_radar"]
    head = ["scene", "images"]
    for name in [f"`{name}`" for name in names] + ([list(others)[-1]] if "without_radar" in first else []):
        head += [f"{name} AbsRel", "δ1", "coverage"]
    rows = []
    for scene, figures in first["figures"].items():
        row = [f"**{scene}**" if scene == "pooled" else scene, str(figures["frames"])]
        for of_model in [first["figures"], *others.values()]:
            of_scene = of_model[scene]
            row += [number(of_scene["abs_rel"]), number(of_scene["delta1"]), number(of_scene["coverage"])]
        rows.append(row)
    text = table(head, rows)
    if others:
        head = ["scene", *[f"below {name}" for name in others]]
        rows = []
        for scene, figures in first["figures"].items():
            cells = [below(figures["abs_rel"], of_model[scene]["abs_rel"]) for of_model in others.values()]
            rows.append([f"**{scene}**" if scene == "pooled" else scene, *cells])
        text += f"\n\nAbsRel of `{names[0]}`:\n\n{table(head, rows)}"
    return text


def by_range(models):
    names = list(models)
    bins = models[names[0]]["figures"]["pooled"]["by_range"]
    of_bins = {name: {row["min_m"]: row for row in models[name]["figures"]["pooled"]["by_range"]} for name in names}
    overall = models[names[0]]["figures"]["pooled"]["abs_rel"]
    rows = []
    for row in bins:
        cells = [of_bins[name].get(row["min_m"], {}).get("abs_rel") for name in names]
        share = f"{row['share'] * 100:.1f} %"
        ratio = number(row["abs_rel"] / overall if overall else None, 2)
        rows.append([f"{row['min_m']:.0f} to {row['max_m']:.0f} m", share, *[number(cell) for cell in cells], ratio])
    head = ["truth", "pixels", *[f"`{name}`" for name in names], f"`{names[0]}`, times its AbsRel of all"]
    return table(head, rows)


def of_confidence(models):
    scenes = list(next(iter(models.values()))["confidence"])
    head = ["model", *[f"{scene} ECE | Spearman" for scene in scenes]]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * (1 + 2 * len(scenes))}"]
    for name, result in models.items():
        cells = [f"`{name}`"]
        for scene in scenes:
            found = result["confidence"][scene]
            cells += [number(found["ece"], 3), number(found["spearman"], 2)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def interval(ends):
    return "–" if ends is None else f"{ends[0]:+.4f} to {ends[1]:+.4f}"


def of_ablation(ablation):
    head = ["radar", "AbsRel", "δ1", "coverage", "− milder", "95 % interval", "− dropped", "95 % interval"]
    rows = []
    for row in ablation["conditions"]:
        step, dropped = row.get("vs_cleaner"), row.get("vs_dropped")
        cells = [row["name"], number(row["abs_rel"]), number(row["delta1"]), number(row["coverage"])]
        for beside in (step, dropped):
            cells += [f"{beside['delta']:+.4f}", interval(beside["ci"])] if beside else ["", ""]
        if step and step["better_than_cleaner"]:
            cells[4] = f"**{cells[4]}**"
        rows.append(cells)
    text = f"{ablation['frames']} images, seed {ablation['seed']}.\n\n{table(head, rows)}"
    if ablation["influence"]:
        head = ["figure", "own radar", "another frame's", "AUROC, means of a second", "AUROC, single frames"]
        rows = [
            [f"`{row['figure']}`", *[number(row[key], 2) for key in ("clean", "shuffled", "auroc", "auroc_frame")]]
            for row in ablation["influence"]
        ]
        text += f"\n\n{table(head, rows)}"
    return text


def of_drive(drives):
    head = ["scene", "seconds", "images", "images with a warning", "returns", "agreement", "moved", "match"]
    rows = [
        [scene, f"{found['seconds']:.0f}", str(found["frames"]), str(int(found["warned"])), number(found["returns"], 0)]
        + [number(found[key], 2) for key in ("agreement", "moved", "match")]
        for scene, found in drives.items()
    ]
    return table(head, rows)


def markdown(results):
    models = results["models"]
    size = f"{results['bags_a_scene']} recordings of each scene with {results['frames_a_bag']} images"
    parts = [
        f"{size}, seeds from {results['seed']} on.",
        f"### By scene\n\n{by_scene(models)}",
        f"### By range\n\n{by_range(models)}",
        f"### Confidence\n\n{of_confidence(models)}",
    ]
    for name, result in models.items():
        if "ablation" in result:
            parts.append(f"### Bad radars: `{name}`\n\n{of_ablation(result['ablation'])}")
        if "drive" in result:
            parts.append(f"### Driving with a good radar: `{name}`\n\n{of_drive(result['drive'])}")
    return "\n\n".join(parts)
