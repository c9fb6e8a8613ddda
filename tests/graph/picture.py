# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Looks at a graph's SVG as a reader would: what is where, what lies on what. And at a screenshot of it."""
import re
import struct
import xml.etree.ElementTree as ET
import zlib

SVG = "{http://www.w3.org/2000/svg}"
CHAR = 0.61  # of the font's size: the widest of the fonts that the SVG asks for
SIZES = {"head": 18, "summary": 12, "name": 12, "frame-name": 12, "loop": 10, "label": 10}


def texts(root):
    """(class, text, left, top, right, bottom) of every text."""
    for element in root.iter(SVG + "text"):
        size = SIZES[element.get("class")]
        width = len(element.text) * size * CHAR
        x, y = float(element.get("x")), float(element.get("y"))
        left = x - width if element.get("text-anchor") == "end" else x
        yield element.get("class"), element.text, left, y - size * 0.8, left + width, y + size * 0.2


def box(rect):
    x, y = float(rect.get("x", 0)), float(rect.get("y", 0))
    return x, y, x + float(rect.get("width")), y + float(rect.get("height"))


def overlap(a, b, slack=0.5):
    return a[0] + slack < b[2] and b[0] + slack < a[2] and a[1] + slack < b[3] and b[1] + slack < a[3]


def nodes(root):
    return [box(rect) for rect in root.iter(SVG + "rect") if rect.get("class") == "box"]


def frames(root):
    return [box(group.find(SVG + "rect")) for group in root.iter(SVG + "g")
            if group.get("class", "").startswith("frame")]


def wires(root):
    """Of each line its corners, arcs taken as their control points."""
    for group in root.iter(SVG + "g"):
        if group.get("class", "").startswith("wire") and group.find(SVG + "title") is not None:
            yield [tuple(map(int, point)) for point in
                   re.findall(r"(\d+) (\d+)", group.find(SVG + "path").get("d"))]


def faults(text):
    """What is wrong with the picture, in words."""
    root = ET.fromstring(text)
    _, _, width, height = map(float, root.get("viewBox").split())
    page, boxes, borders = (0, 0, width, height), nodes(root), frames(root)
    written = list(texts(root))
    for a in boxes + borders + [t[2:] for t in written]:
        if a[0] < 0 or a[1] < 0 or a[2] > page[2] or a[3] > page[3]:
            yield "outside of the page: %s" % (a,)
    for what, found in (("nodes", boxes), ("frames", borders)):
        for i, a in enumerate(found):
            yield from ("%s overlap: %s %s" % (what, a, b) for b in found[:i] if overlap(a, b))
    for frame in borders:
        yield from ("a node crosses a frame: %s %s" % (a, frame) for a in boxes if overlap(a, frame) and
                    not (frame[0] <= a[0] and frame[1] <= a[1] and a[2] <= frame[2] and a[3] <= frame[3]))
    for i, (kind, word, *a) in enumerate(written):
        yield from ("texts overlap: %s / %s" % (word, other[1]) for other in written[:i] if overlap(a, other[2:]))
        if kind == "label":
            yield from ("a label lies on a node: %s" % word for b in boxes if overlap(a, b))
    for line in wires(root):
        for (x1, y1), (x2, y2) in zip(line, line[1:]):
            segment = (min(x1, x2), min(y1, y2), max(x1, x2) + 1, max(y1, y2) + 1)
            yield from ("a line runs through a node: %s %s" % (segment, b) for b in boxes if overlap(segment, b, 1.5))
            if x1 == x2 and abs(y1 - y2) > 8:
                yield from ("a vertical line runs through a label: %s" % t[1] for t in written
                            if t[0] == "label" and overlap(segment, t[2:], 1.5))


def pixels(path):
    """Distinct colours of a PNG (8 bit RGB or RGBA, not interlaced), with the share of the commonest."""
    data = open(path, "rb").read()
    at, packed, head = 8, b"", None
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        head = body if kind == b"IHDR" else head
        packed += body if kind == b"IDAT" else b""
        at += 12 + size
    width, height, _, colour = struct.unpack(">IIBB", head[:10])
    step, raw, before, counts = {2: 3, 6: 4}[colour], zlib.decompress(packed), None, {}
    stride = width * step
    before = bytearray(stride)
    for y in range(height):
        row = bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        unfilter(raw[y * (stride + 1)], row, before, step)
        for x in range(0, stride, step):
            colour = bytes(row[x:x + 3])
            counts[colour] = counts.get(colour, 0) + 1
        before = row
    return len(counts), max(counts.values()) / (width * height)


def unfilter(kind, row, before, step):
    for i in range(len(row)):
        left, above = row[i - step] if i >= step else 0, before[i]
        corner = before[i - step] if i >= step else 0
        if kind == 1:
            add = left
        elif kind == 2:
            add = above
        elif kind == 3:
            add = (left + above) // 2
        elif kind == 4:
            guess = left + above - corner
            add = min((abs(guess - left), 0, left), (abs(guess - above), 1, above), (abs(guess - corner), 2, corner))[2]
        else:
            add = 0
        row[i] = (row[i] + add) & 255
