"""What was published: files, their MD5, their addresses, in torchvision's layout; and class names.

A test holds the addresses and checksums equal to torchvision's. The MD5 of the uncompressed MNIST and
Fashion-MNIST files, which torchvision does not state, are those of the contents of its verified archives,
so that a file compressed anew is still recognised.
"""

from __future__ import annotations

from lggkit.data import formats
from lggkit.data.download import Archive, OnDisk
from lggkit.data.files import File

TORONTO = "https://www.cs.toronto.edu/~kriz/"
STANFORD = "http://ufldl.stanford.edu/housenumbers/"
MNIST_MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/")
FASHION_MIRRORS = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)

CIFAR10_CLASSES = tuple("airplane automobile bird cat deer dog frog horse ship truck".split())  # noqa: SIM905
CIFAR100_CLASSES = tuple(
    """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel
    can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
    dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion
    lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree
    pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea
    seal shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table
    tank telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman
    worm
    """.split()  # noqa: SIM905
)
FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
DIGIT_CLASSES = tuple("0123456789")


def _cifar(name: str, folder: str, archive: tuple[str, str], extra: str, train: dict, test: dict) -> OnDisk:
    train_files, test_files = (
        tuple(File(f"{folder}/{n}", md5) for n, md5 in s.items()) for s in (train, test)
    )
    brought = (*(file.path for file in train_files + test_files), f"{folder}/{extra}")
    archives = (Archive((TORONTO + archive[0],), archive[1], brought),)
    return OnDisk(name, train_files, test_files, archives, formats.cifar)


def _mnist(name: str, folder: str, mirrors: tuple[str, ...], checksums: dict[str, tuple[str, str]]) -> OnDisk:
    files = {n: File(f"{folder}/raw/{n}-ubyte", md5) for n, (md5, _) in checksums.items()}
    archives = tuple(
        Archive(tuple(f"{mirror}{n}-ubyte.gz" for mirror in mirrors), md5, (files[n].path,), f"{folder}/raw")
        for n, (_, md5) in checksums.items()
    )
    train, test = ((files[f"{s}-images-idx3"], files[f"{s}-labels-idx1"]) for s in ("train", "t10k"))
    return OnDisk(name, train, test, archives, formats.idx)


def _svhn(train: File, test: File) -> OnDisk:
    archives = tuple(Archive((STANFORD + file.path,), file.md5, (file.path,)) for file in (train, test))
    return OnDisk("svhn", (train,), (test,), archives, formats.mat)


CIFAR10 = _cifar(
    "cifar10",
    "cifar-10-batches-py",
    archive=("cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a"),
    extra="batches.meta",
    train={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    },
    test={"test_batch": "40351d587109b95175f43aff81a1287e"},
)
CIFAR100 = _cifar(
    "cifar100",
    "cifar-100-python",
    archive=("cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85"),
    extra="meta",
    train={"train": "16019d7e3df5f24257cddd939b257f8d"},
    test={"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
)
SVHN = _svhn(
    File("train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"),
    File("test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"),
)
MNIST = _mnist(  # file: MD5 of its contents, MD5 of the published .gz
    "mnist",
    "MNIST",
    MNIST_MIRRORS,
    {
        "train-images-idx3": ("6bbc9ace898e44ae57da46a324031adb", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        "train-labels-idx1": ("a25bea736e30d166cdddb491f175f624", "d53e105ee54ea40749a09fcbcd1e9432"),
        "t10k-images-idx3": ("2646ac647ad5339dbf082846283269ea", "9fb629c4189551a2d022fa330f9573f3"),
        "t10k-labels-idx1": ("27ae3e4e09519cfbb04c329615203637", "ec29112dd5afa0611ce80d1b7f02629c"),
    },
)
FASHION_MNIST = _mnist(
    "fashion-mnist",
    "FashionMNIST",
    FASHION_MIRRORS,
    {
        "train-images-idx3": ("f4a8712d7a061bf5bd6d2ca38dc4d50a", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        "train-labels-idx1": ("9018921c3c673c538a1fc5bad174d6f9", "25c81989df183df01b3e8a0aad5dffbe"),
        "t10k-images-idx3": ("8181f5470baa50b63fa0f6fddb340f0a", "bef4ecab320f06d8554ea6380940ec79"),
        "t10k-labels-idx1": ("15d484375f8d13e6eb1aabb0c3f46965", "bb300cfdad3c16e7a12a480ee83cd310"),
    },
)
